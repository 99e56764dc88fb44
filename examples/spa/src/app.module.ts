import { Module } from '@nestjs/common';
import { RedisSessionModule } from 'nestjs-redis-session';
import { ApiController } from './api.controller.js';
import { LocalStrategy } from './local.strategy.js';

@Module({
  imports: [
    RedisSessionModule.forRoot({
      redis: process.env['REDIS_URL'] ?? 'redis://localhost:6379',
      security: {
        // Every POST must send a token of its session in the header X-CSRF-TOKEN.
        csrf: true,
        logout: { path: '/api/logout' },
      },
    }),
  ],
  controllers: [ApiController],
  providers: [LocalStrategy],
})
export class AppModule {}
