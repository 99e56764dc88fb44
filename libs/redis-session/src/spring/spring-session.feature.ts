import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { resolveOptionGroup } from '../lib/option-group.js';
import {
  type RedisSessionModuleOptions,
  type ResolvedOptions,
  type SessionFeature,
} from '../nest/options/redis-session.options.js';
import { RedisSessionStore } from '../redis/redis-session-store.js';
import {
  type SessionSharing,
  type SessionStore,
  principalNameOf,
} from '../session/session-store.js';
import { type SessionKeeper } from '../session/stored-session-repository.js';
import { nullRequestCache, type RequestCache } from '../http/saved-requests/request-cache.js';
import { JavaTypes } from './json/java-types.js';
import { JdkSessionRepository, jdkCodec } from './jdk/jdk-session-repository.js';
import {
  EXPIRED_ATTRIBUTE,
  ownNameOf,
  PRINCIPAL_NAME_ATTRIBUTE,
  springCodec,
  type SpringCsrfNames,
  springNameOf,
} from './spring-attributes.js';
import { SpringContext } from './spring-context.js';
import { SpringIndexedSessionRepository } from './spring-indexed-session-repository.js';
import { SpringRequestCache } from './spring-request-cache.js';
import { refuseUnfitForSpring, refuseSpringContradictions } from './spring-refusals.js';
import { SpringSessionRepository } from './spring-session-repository.js';
import { toSpringChange } from './spring-session.mapper.js';
import { springOptionGroup, type SpringSessionOptions } from './spring.options.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DEFAULT_NAMESPACE = 'spring:session';

/**
 * Shares sessions and logins with Spring Boot applications that use Spring Session: the same keys, the same cookie, the same
 * login, cart, saved page and CSRF token, whoever of the two answers.
 *
 * ```ts
 * RedisSessionModule.forRoot({ redis, repository: 'indexed', features: [springSession({ boot: 4 })] })
 * ```
 *
 * `repository` must be the one of the Spring application (`spring.session.data.redis.repository-type`), and `'indexed'` with
 * `store: postgresSessions({ … })`, which shares the tables of Spring Session JDBC. Sets `namespace`,
 * `codec`, `cookie.encoding`, `sessionIdGenerator`, `sessionIdPattern` and `security.requestCache`.
 *
 * @throws SessionOptionError naming the option that is unknown, wrong, or contradicts another
 */
export function springSession(options: SpringSessionOptions = {}): SessionFeature {
  const resolved = resolveOptionGroup(springOptionGroup, options, { prefix: 'springSession.' });
  refuseSpringContradictions(resolved);
  const types = new JavaTypes(resolved.boot, resolved.classes);
  const requestCache = new SpringRequestCache();
  const isJdk = resolved.serialization === 'jdk';
  return {
    name: SPRING_SESSION,
    choosesIds: true,
    configure(given) {
      refuseUnfitForSpring(given, isJdk);
      const logger = given.logger ?? new Logger('RedisSession');
      const context = new SpringContext(resolved, logger, types);
      if (isJdk)
        return {
          ...given,
          ...sharedOptions(given, nullRequestCache),
          codec: jdkCodec({
            ...{ context, csrf: csrfNamesOf(given) },
            storesLogins: resolved.storesLogins !== undefined,
          }),
        };
      const codec = springCodec(context, csrfNamesOf(given));
      return { ...given, ...sharedOptions(given, requestCache), codec };
    },
    createRepository: (store, moduleOptions) => {
      if (!(store instanceof RedisSessionStore)) return jdbcRepositoryOf(store, moduleOptions);
      if (isJdk) {
        const { storesLogins } = resolved;
        return new JdkSessionRepository(store.client, { ...moduleOptions, storesLogins });
      }
      return repositoryOf(store, moduleOptions);
    },
    connect: ({ isSecure }) => {
      requestCache.isSecure = isSecure;
      return isJdk ? {} : { attach: (request) => requestCache.forgetVisited(request) };
    },
  };
}

const SPRING_SESSION = 'springSession()';

/** What must be the same on both sides. */
function sharedOptions(
  { cookie, namespace, security, sessionIdResolver, store }: RedisSessionModuleOptions,
  requestCache: RequestCache,
): Partial<RedisSessionModuleOptions> {
  return {
    ...(!sessionIdResolver && { cookie: { ...cookie, encoding: 'base64' } }),
    ...(typeof store !== 'object' && { namespace: namespace ?? DEFAULT_NAMESPACE }),
    security: security !== false && { requestCache, ...security },
    sessionIdGenerator: randomUUID,
    sessionIdPattern: UUID,
  };
}

function csrfNamesOf({ security }: RedisSessionModuleOptions): SpringCsrfNames {
  const csrf = security && typeof security.csrf === 'object' ? security.csrf : {};
  const { headerName = 'X-CSRF-TOKEN', parameter = '_csrf' } = csrf;
  return { headerName, parameter };
}

function repositoryOf({ client }: RedisSessionStore, options: ResolvedOptions): SessionKeeper {
  const { indexed } = options;
  return indexed
    ? new SpringIndexedSessionRepository(client, { ...options, indexed })
    : new SpringSessionRepository(client, options);
}

/** How Spring Session JDBC sees sessions. The texts of their attributes are those of the codec. */
const springJdbc: SessionSharing = {
  replacedMark: EXPIRED_ATTRIBUTE,

  principalName(session) {
    const own = session.getAttribute<unknown>(PRINCIPAL_NAME_ATTRIBUTE);
    return typeof own === 'string' ? own : principalNameOf(session);
  },

  fromStored(stored) {
    if (stored.attributes.get(EXPIRED_ATTRIBUTE) === 'true') return undefined;
    const named = [...stored.attributes].map(([name, text]) => [ownNameOf(name), text] as const);
    return { ...stored, attributes: new Map(named) };
  },

  toStored: toSpringChange,
  ownNameOf,
  storedNameOf: springNameOf,
};

/** Tests keep sessions in memory, whatever the application uses. */
function jdbcRepositoryOf(store: SessionStore, options: ResolvedOptions): SessionKeeper {
  return store.createSharedRepository?.(options, springJdbc) ?? store.createRepository(options);
}
