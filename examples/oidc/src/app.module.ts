import { Module } from '@nestjs/common';
import { RedisSessionModule } from 'nestjs-redis-session';
import { expressSession } from 'nestjs-redis-session/express-session';
import { connectProvider, OidcStrategy, PROVIDER } from './oidc.strategy.js';
import { PagesController } from './pages.controller.js';

@Module({
  imports: [
    RedisSessionModule.forRoot({
      redis: process.env['REDIS_URL'] ?? 'redis://localhost:6379',
      // The strategy keeps `state` and the PKCE verifier in `req.session` while the user is at the provider.
      features: [expressSession()],
      security: { loginPage: '/login' },
    }),
  ],
  controllers: [PagesController],
  providers: [{ provide: PROVIDER, useFactory: connectProvider }, OidcStrategy],
})
export class AppModule {}
