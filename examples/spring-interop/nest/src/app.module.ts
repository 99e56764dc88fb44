import { Module } from '@nestjs/common';
import { RedisSessionModule } from 'nestjs-redis-session';
import { postgresSessions } from 'nestjs-redis-session/postgres';
import { forgetRememberMe, springRoles, springSession } from 'nestjs-redis-session/spring';
import { ApiController } from './api.controller.js';
import { environment } from './environment.js';
import { javaClasses } from './java-classes.js';
import { LocalStrategy } from './local.strategy.js';
import { PagesController } from './pages.controller.js';
import { principals } from './principals.js';
import { SessionEventLog } from './session-events.js';

const { boot, repository, serialization, store, storesLogins, storeUrl } = environment;
const { maximumSessions, maximumSessionsPolicy } = environment;
const isIndexed = repository === 'indexed' && serialization === 'json';

/** One login with the Spring application: `springSession` is all that it takes. */
@Module({
  imports: [
    RedisSessionModule.forRoot({
      ...(store === 'postgres'
        ? { store: postgresSessions({ pool: storeUrl, createTables: true }) }
        : { redis: storeUrl }),
      ...(isIndexed && {
        repository,
        indexed: { eventDelivery: 'once', maximumSessions, maximumSessionsPolicy },
      }),
      features: [
        springSession({
          authorities: springRoles,
          boot,
          ...(serialization === 'json' && { classes: javaClasses }),
          ...(boot === 4 && !storesLogins && { factor: 'FACTOR_PASSWORD' }),
          ...(storesLogins && { storesLogins: repository }),
          principal: principals,
          serialization,
        }),
      ],
      security: {
        csrf: { isExempt: ({ url }) => /^\/(?:nest|both)\/api\//.test(url ?? '') },
        defaultSuccessPath: '/nest/home',
        loginPage: '/login',
        logout: {
          handlers: [forgetRememberMe()],
          path: '/nest/logout',
          successPath: '/nest/home',
        },
      },
    }),
  ],
  controllers: [ApiController, PagesController],
  providers: [LocalStrategy, SessionEventLog],
})
export class AppModule {}
