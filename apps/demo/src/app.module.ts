import { Module } from '@nestjs/common';
import { RedisSessionModule, type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { mongoSessions } from 'nestjs-redis-session/mongo';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { AuthModule } from './auth/auth.module.js';
import { CartController } from './cart/cart.controller.js';
import { securityOptions } from './auth/security.options.js';
import { environment } from './environment.js';
import { HealthController } from './health/health.controller.js';
import { PagesModule } from './pages/pages.module.js';

/** Where the sessions are. Nothing else of the application knows it. */
function storeOptions(): RedisSessionModuleOptions {
  const { databaseUrl, mongodbUrl, redis, repository, store } = environment;
  if (store === 'memory') return { store, repository };
  if (store === 'redis') return { ...redis, repository };
  if (store === 'mongo') return { store: mongoSessions({ db: mongodbUrl }), repository };
  return {
    store: postgresSessions({ pool: databaseUrl, createTables: true }),
    repository,
  };
}

/** The whole wiring of the sessions is `RedisSessionModule.forRoot`. */
@Module({
  imports: [
    RedisSessionModule.forRoot({
      ...storeOptions(),
      commandTimeoutMs: environment.commandTimeoutMs,
      maxInactiveIntervalSeconds: environment.idleSeconds,
      security: securityOptions,
    }),
    AuthModule,
    PagesModule,
  ],
  controllers: [CartController, HealthController],
})
export class AppModule {}
