import { type INestApplication } from '@nestjs/common';
import { type SessionMiddleware } from './connect/connect-session.js';
import { SessionOptionError } from '../session/session.errors.js';
import { type ResolvedOptions } from '../nest/options/redis-session.options.js';
import { RESOLVED_OPTIONS } from '../nest/redis-session.module-definition.js';
import { SessionRepositoryMiddleware, toFunction } from '../nest/session-repository.middleware.js';

/**
 * The middleware of `RedisSessionModule` for `app.use`, when other middleware of main.ts needs the session:
 *
 * ```ts
 * app.use(redisSession(app), csrf(), passport.session());
 * ```
 *
 * @throws SessionOptionError with the option `exclude`: at this place routes are not known yet
 */
export function redisSession(app: INestApplication): SessionMiddleware {
  const options = app.get<ResolvedOptions>(RESOLVED_OPTIONS, { strict: false });
  if (options.exclude.length > 0) {
    throw new SessionOptionError(
      'exclude must be left out when app.use(redisSession(app)) is used: routes are not known there.',
    );
  }
  return toFunction(app.get(SessionRepositoryMiddleware, { strict: false }));
}
