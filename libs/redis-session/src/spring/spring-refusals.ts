import { refuseContradictions } from '../lib/option-group.js';
import { SessionRequestCache } from '../http/saved-requests/session-request-cache.js';
import { type RedisSessionModuleOptions } from '../nest/options/redis-session.options.js';
import { isCluster, isRedisClient, type RedisConnection } from '../redis/client/redis-client.js';
import { SessionOptionError } from '../session/session.errors.js';
import { MAX_JAVA_INT } from './spring-session.mapper.js';
import { type ResolvedSpringOptions } from './spring.options.js';

/** @throws SessionOptionError for options of `springSession` that do not go together */
export function refuseSpringContradictions(options: ResolvedSpringOptions): void {
  const { boot, classes, factor, serialization, storesLogins } = options;
  refuseContradictions({
    'springSession.storesLogins must be left out unless springSession.serialization is "jdk": with JSON everything is stored.':
      storesLogins !== undefined && serialization !== 'jdk',
    'springSession.factor must be left out with springSession.storesLogins: Java serialization stores no factor.':
      storesLogins !== undefined && factor !== undefined,
    'springSession.classes must be left out when springSession.serialization is "jdk": Java serialization stores no objects.':
      serialization === 'jdk' && classes !== undefined,
    'springSession.factor must be left out when springSession.boot is 3: Spring Security 6 answers 500 to a login with a factor.':
      boot === 3 && factor !== undefined,
  });
}

/** An option of the module, whether the application has set it so that it contradicts Spring, and why. */
type Contradiction = readonly [
  rule: string,
  applies: (options: RedisSessionModuleOptions) => boolean,
  reason: string,
];

const CONTRADICTIONS: readonly Contradiction[] = [
  [
    'store must be left out, or be postgresSessions()',
    ({ store = 'redis' }) =>
      store !== 'redis' && !(typeof store === 'object' && store.createSharedRepository),
    'Spring keeps its sessions in Redis or in PostgreSQL',
  ],
  [
    'redis must not be a Redis Cluster',
    ({ redis }) => isCluster(redis),
    'keys of Spring lie in different slots, and one step must change several of them',
  ],
  [
    'keyPrefix of redis must be left out',
    ({ redis }) => keyPrefixOf(redis) !== '',
    'Spring has no such prefix. Set namespace to that of Spring',
  ],
  [
    'durability must be left out',
    ({ durability }) => durability !== undefined,
    'Spring does not wait for replicas, and a login must not depend on the side that made it',
  ],
  [
    'codec must be left out',
    ({ codec }) => codec !== undefined,
    'Spring decodes every attribute and answers 500 to one that it cannot decode',
  ],
  [
    'encryption must be left out',
    ({ encryption }) => encryption !== undefined,
    'Spring cannot read encrypted attributes',
  ],
  [
    'hashIds must be false',
    ({ hashIds = false }) => hashIds !== false,
    'Spring makes keys of ids as they are',
  ],
  [
    'sessionIdGenerator must be left out',
    ({ sessionIdGenerator }) => sessionIdGenerator !== undefined,
    'ids are UUIDs, as those of Spring',
  ],
  [
    'sessionIdPattern must be left out',
    ({ sessionIdPattern }) => sessionIdPattern !== undefined,
    'ids are UUIDs, as those of Spring',
  ],
  [
    'absoluteTimeoutSeconds must be left out',
    ({ absoluteTimeoutSeconds }) => absoluteTimeoutSeconds !== undefined,
    'Spring has no absolute lifetime, and would keep such a session alive',
  ],
  [
    'security.credentialStamp must be left out',
    ({ security }) => security !== false && security?.credentialStamp !== undefined,
    'Spring has no place for the stamp, and Nest would write the logins of Spring again to add it',
  ],
  [
    `maxInactiveIntervalSeconds must be from 1 to ${MAX_JAVA_INT}`,
    ({ maxInactiveIntervalSeconds = 1800 }) =>
      maxInactiveIntervalSeconds < 0 || maxInactiveIntervalSeconds > MAX_JAVA_INT,
    'Spring deletes sessions that never end, and cannot read a greater number',
  ],
  [
    'saveMode must be "on-change" or "on-set-attribute"',
    ({ saveMode = 'on-change' }) => saveMode === 'always' || saveMode === 'on-get-attribute',
    'an attribute of Spring would be written although nobody has changed it',
  ],
  [
    'cookie.encoding must be "base64"',
    ({ cookie }) => cookie?.encoding === 'plain',
    'Spring encodes the id in its cookie',
  ],
  [
    'cookie.secrets must be left out',
    ({ cookie }) => (cookie?.secrets ?? []).length > 0,
    'Spring neither signs its cookie nor checks a signature',
  ],
  [
    'features must hold no other feature that keeps sessions',
    ({ features = [] }) => features.filter((feature) => 'createRepository' in feature).length > 1,
    'Spring changes sessions without telling it. Leave out nearCache()',
  ],
  [
    'features must not hold migrateFrom()',
    ({ features = [] }) => features.some(({ name }) => name === 'migrateFrom()'),
    'moved sessions keep ids that Spring does not know. Migrate first',
  ],
  [
    'indexed.expirationStore must be left out',
    ({ indexed }) => indexed?.expirationStore === 'sorted-set',
    'sessions expire by the buckets of Spring',
  ],
  [
    'indexed.indexes must be left out',
    ({ indexed }) => Object.keys(indexed?.indexes ?? {}).length > 0,
    'Spring keeps no other index than that of the user',
  ],
  [
    'indexed.partitions must be left out',
    ({ indexed }) => indexed?.partitions !== undefined,
    'the keys of Spring have no partitions',
  ],
  [
    'indexed.principalName must be left out',
    ({ indexed }) => indexed?.principalName !== undefined,
    'both sides must find a session under the same name',
  ],
  [
    'indexed.retentionSeconds must be left out',
    ({ indexed, store }) => typeof store !== 'object' && indexed?.retentionSeconds !== undefined,
    'Spring keeps an expired session for five minutes',
  ],
];

/** Only with Java serialization. */
const JDK_CONTRADICTIONS: readonly Contradiction[] = [
  [
    'store must be left out',
    ({ store }) => typeof store === 'object' && store.createSharedRepository !== undefined,
    'serialization "jdk" is only for Redis. Give Spring the bean springSessionConversionService of docs/stores.md',
  ],
  [
    'repository and indexed must be left out',
    ({ indexed, repository = 'default' }) => indexed !== undefined || repository !== 'default',
    'with serialization "jdk" springSession.storesLogins names the repository of Spring, and lists of sessions are not kept',
  ],
  [
    'security.requestCache must not keep pages in the session',
    ({ security }) => {
      const { requestCache } = security || {};
      return requestCache === 'session' || requestCache instanceof SessionRequestCache;
    },
    'serialization "jdk" stores no saved page. Give a CookieRequestCache, or leave it out',
  ],
];

/** Only with JSON. */
const JSON_CONTRADICTIONS: readonly Contradiction[] = [
  [
    'repository must be "indexed"',
    ({ repository, store }) => typeof store === 'object' && repository !== 'indexed',
    'Spring Session JDBC keeps an index of the users',
  ],
  [
    'security.requestCache must be left out',
    ({ security }) => security !== false && security?.requestCache !== undefined,
    'both sides must find the page that the other one has saved',
  ],
];

/** @throws SessionOptionError for the first option of the module that contradicts Spring */
export function refuseUnfitForSpring(options: RedisSessionModuleOptions, isJdk: boolean): void {
  for (const [rule, applies, reason] of isJdk
    ? [...JDK_CONTRADICTIONS, ...CONTRADICTIONS]
    : [...CONTRADICTIONS, ...JSON_CONTRADICTIONS])
    if (applies(options)) throw new SessionOptionError(`${rule} with springSession(): ${reason}.`);
}

function keyPrefixOf(redis: RedisConnection | undefined): string {
  if (isRedisClient(redis)) return redis.options.keyPrefix ?? '';
  if (typeof redis !== 'object' || 'nodes' in redis) return '';
  return redis.keyPrefix ?? '';
}
