import { Module } from '@nestjs/common';
import { RedisSessionModule } from 'nestjs-redis-session';
import { LocalStrategy } from './local.strategy.js';
import { PagesController } from './pages.controller.js';

@Module({
  imports: [
    RedisSessionModule.forRoot({
      // With a Redis: `redis: 'redis://localhost:6379'` instead. Then every replica knows every login.
      store: 'memory',
      security: {
        loginPage: '/login',
        defaultSuccessPath: '/members',
        logout: { successPath: '/login' },
      },
    }),
  ],
  controllers: [PagesController],
  providers: [LocalStrategy],
})
export class AppModule {}
