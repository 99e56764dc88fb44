/** What the launcher, the Dockerfile or a person sets; everything has a default. */
export const environment = {
  /** Of PostgreSQL. */
  databaseUrl: process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres',
  /** Address to listen on; a container needs 0.0.0.0. */
  host: process.env['HOST'] ?? '127.0.0.1',
  /** `express` or `fastify`. */
  platform: process.env['PLATFORM'] ?? 'express',
  /** Name of this replica, sent as `X-Pod` with every response. */
  podName: process.env['POD_NAME'] ?? 'pod-a',
  port: Number(process.env['PORT'] ?? 3000),
  redisUrl: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
  /** A platform sends SIGKILL some time after SIGTERM; `DEADLINE_SECONDS` must be shorter. */
  shutdown: {
    drainSeconds: Number(process.env['DRAIN_SECONDS'] ?? 5),
    deadlineSeconds: Number(process.env['DEADLINE_SECONDS'] ?? 25),
  },
  /** `redis`, `postgres`, or `memory` to see what happens without either. */
  store: process.env['STORE'] ?? 'redis',
} as const;
