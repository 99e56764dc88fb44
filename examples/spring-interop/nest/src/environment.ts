/** What the launcher or a person sets. */
export const environment = {
  /** Generation of Spring Boot on the other side. */
  boot: process.env['BOOT'] === '3' ? 3 : 4,
  maximumSessions: Number(process.env['MAXIMUM_SESSIONS'] ?? -1),
  /** `express` or `fastify`. */
  platform: process.env['PLATFORM'] ?? 'express',
  port: Number(process.env['PORT'] ?? 3000),
  redisUrl: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
  /** As `spring.session.data.redis.repository-type` says. */
  repository: process.env['REPOSITORY'] === 'indexed' ? 'indexed' : 'default',
  /** `jdk` when the Spring half writes sessions by Java serialization. */
  serialization: process.env['SERIALIZATION'] === 'jdk' ? 'jdk' : 'json',
  /** Whether logins are stored here by Java serialization, too. */
  storesLogins: process.env['STORES_LOGINS'] === 'true',
} as const;
