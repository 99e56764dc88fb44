/**
 * Who takes part. One line each: what is started, on which platform, with which settings.
 *
 * @typedef {object} ContestantSpec
 * @property {string} id - also the prefix of its keys in Redis
 * @property {string} label
 * @property {string} kind - see server/contestant.mjs; `spring` is started from peers/spring
 * @property {'express' | 'fastify' | 'spring'} platform
 * @property {object} options - of the library
 * @property {string} settings - in words, for the report
 * @property {boolean} [isQuick] - also part of a quick run
 */

const SLIDING = 'idle timeout 1800 s, prolonged by every request';

/** No other contestant has an interceptor, or tells any code who its user is. */
const LEAN = { interceptor: false, security: { contextHolder: false } };

/** Ours has the server of Express create requests and responses with their prototypes. */
const FLOOR_WITH_PROTOTYPES = {
  ...spec('express', 'floor', 'floor with prototypes', {}, 'the same, with the prototypes of ours'),
  ...{ id: 'express-floor-prototypes', options: { hasPrototypes: true } },
};

/** @type {ContestantSpec[]} */
const NODE = ['fastify', 'express'].flatMap((platform) => [
  spec(platform, 'bare', 'bare Nest', {}, 'no session at all', true),
  spec(
    platform,
    'floor',
    'floor: one GET',
    {},
    'the handler awaits one pipelined GET; guard and parameter decorator as ours',
    true,
  ),
  {
    ...spec(platform, 'floor', 'floor with interceptor', {}, 'the same, with an interceptor'),
    ...{ id: `${platform}-floor-interceptor`, options: { hasInterceptor: true } },
  },
  ...(platform === 'express' ? [FLOOR_WITH_PROTOTYPES] : []),
  ours(
    platform,
    'lean',
    LEAN,
    `defaults without interceptor and SecurityContextHolder; ${SLIDING}`,
    true,
  ),
  ours(platform, '', {}, `defaults; ${SLIDING}`),
  ours(
    platform,
    'touch 60 s',
    { ...LEAN, touchIntervalSeconds: 60 },
    'lean; the last access is recorded once a minute',
  ),
  ours(
    platform,
    'indexed',
    { ...LEAN, repository: 'indexed' },
    'lean; repository indexed: found by user, ended on time, events',
  ),
  ours(
    platform,
    'near cache',
    { ...LEAN, nearCache: { maxSessions: 1000 } },
    'lean; sessions stay in the process until Redis reports that they have changed',
  ),
]);

const PEERS = [
  spec(
    'fastify',
    'fastify-session',
    '@fastify/session + connect-redis',
    { rolling: true },
    `saveUninitialized false, rolling true: ${SLIDING}`,
    true,
  ),
  spec(
    'fastify',
    'fastify-session',
    '@fastify/session + connect-redis, not rolling',
    { rolling: false },
    'saveUninitialized false, rolling false: an active user is logged out after 1800 s',
  ),
  spec(
    'express',
    'express-session',
    'express-session + connect-redis',
    {},
    `resave false, saveUninitialized false; ${SLIDING}`,
    true,
  ),
];

/** Who takes part in a run of the table of goals. */
const TABLE_IDS = [
  ...['fastify', 'express'].flatMap((platform) =>
    ['bare', 'floor', 'floor-interceptor', 'ours-lean', 'ours'].map((id) => `${platform}-${id}`),
  ),
  ...['fastify-ours-indexed', 'fastify-ours-nearcache', 'express-floor-prototypes'],
  ...['fastify-fastify-session-true', 'express-express-session'],
];

/** Whether the table of goals compares `contestant`. */
export function isInTable({ id }) {
  return TABLE_IDS.includes(id);
}

/** The sessions are in one PostgreSQL, which does not wait for the disk. */
const POSTGRES = [
  ...['fastify', 'express'].map((platform) => ({
    ...spec(platform, 'postgres', 'nestjs-redis-session on PostgreSQL', LEAN, `lean; ${SLIDING}`),
    id: `${platform}-postgres`,
  })),
  spec(
    'express',
    'connect-pg-simple',
    'express-session + connect-pg-simple',
    {},
    `resave false, saveUninitialized false; ${SLIDING}`,
  ),
];

/** Kinds of contestants that need a PostgreSQL. */
export const POSTGRES_KINDS = ['postgres', 'connect-pg-simple'];

const SPRING = [
  spec(
    'spring',
    'spring',
    'Spring Session',
    { repositoryType: 'default' },
    'Spring Boot on Tomcat, virtual threads off, repository default, flush on-save',
  ),
  spec(
    'spring',
    'spring',
    'Spring Session, indexed',
    { repositoryType: 'indexed' },
    'the same, repository indexed',
  ),
];

/** @type {ContestantSpec[]} */
export const CONTESTANTS = [...NODE, ...PEERS, ...POSTGRES, ...SPRING];

function ours(platform, variant, options, settings, isQuick = false) {
  const id = [platform, 'ours', variant].filter(Boolean).join('-').replaceAll(' ', '');
  const label = ['nestjs-redis-session', variant].filter(Boolean).join(', ');
  return { id, label, kind: 'ours', platform, options, settings, isQuick };
}

function spec(platform, kind, label, options, settings, isQuick = false) {
  const id = [platform, kind, ...Object.values(options)].join('-');
  return { id, label, kind, platform, options, settings, isQuick };
}
