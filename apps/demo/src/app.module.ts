import { Module } from '@nestjs/common';
import { RedisSessionModule } from 'nestjs-redis-session';
import { AuthModule } from './auth/auth.module.js';
import { CartController } from './cart/cart.controller.js';
import { securityOptions } from './auth/security.options.js';
import { environment } from './environment.js';
import { HealthController } from './health/health.controller.js';
import { PagesModule } from './pages/pages.module.js';

/** The whole wiring of the sessions is `RedisSessionModule.forRoot`. */
@Module({
  imports: [
    RedisSessionModule.forRoot({
      ...(environment.store === 'memory' ? { store: 'memory' } : { redis: environment.redisUrl }),
      maxInactiveIntervalSeconds: 1800,
      security: securityOptions,
    }),
    AuthModule,
    PagesModule,
  ],
  controllers: [CartController, HealthController],
})
export class AppModule {}
