/** What the launcher or a person sets. */
export const environment = {
  /** Generation of Spring Boot on the other side. */
  boot: process.env['BOOT'] === '3' ? 3 : 4,
  maximumSessions: Number(process.env['MAXIMUM_SESSIONS'] ?? -1),
  /** What becomes of a login beyond them. */
  maximumSessionsPolicy:
    process.env['PREVENTS_LOGIN'] === 'true' ? 'reject-login' : 'expire-oldest',
  /** `express` or `fastify`. */
  platform: process.env['PLATFORM'] ?? 'express',
  port: Number(process.env['PORT'] ?? 3000),
  /** As `spring.session.data.redis.repository-type` says. */
  repository: process.env['REPOSITORY'] === 'indexed' ? 'indexed' : 'default',
  /** `jdk` when the Spring half writes sessions by Java serialization. */
  serialization: process.env['SERIALIZATION'] === 'jdk' ? 'jdk' : 'json',
  /** `postgres` when the Spring half uses Spring Session JDBC. */
  store: process.env['STORE'] === 'postgres' ? 'postgres' : 'redis',
  storeUrl: process.env['STORE_URL'] ?? 'redis://127.0.0.1:6379',
  /** Whether logins are stored here by Java serialization, too. */
  storesLogins: process.env['STORES_LOGINS'] === 'true',
} as const;
