/**
 * What is asked of the contestants.
 *
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} label
 * @property {string} method
 * @property {string} path
 * @property {Seed} [seed] - the sessions that the requests belong to; without it no cookie is sent
 * @property {string} [script] - of wrk; without it wrk/cookies.lua
 * @property {readonly number[]} [connections] - 32 unless told
 * @property {number} [replicas]
 * @property {readonly string[]} [kinds] - who takes part; without it everybody with sessions
 * @property {readonly string[]} [contestants] - ids of who takes part; without it everybody of these kinds
 * @property {boolean} [isQuick] - also part of a quick run
 * @property {boolean} [isInTable] - also part of a run of the table of goals
 */

/**
 * Sessions of a logged-in user with a cart of two items and `count` attributes of `bytes` each.
 *
 * @typedef {{ count: number, bytes: number }} Seed
 */

const ALL = [
  ...['bare', 'floor', 'ours', 'express-session', 'fastify-session', 'spring'],
  ...['postgres', 'connect-pg-simple'],
];
/** One replica more of everybody would take too long. */
const WITH_REPLICAS = [
  ...['fastify-ours-lean', 'fastify-ours', 'fastify-fastify-session-true'],
  ...['express-ours-lean', 'express-ours', 'express-express-session', 'spring-spring-default'],
];
const SMALL = { count: 0, bytes: 0 };

/** @type {Scenario[]} */
export const SCENARIOS = [
  {
    id: 'no-cookie',
    label: 'no cookie, session untouched',
    method: 'GET',
    path: '/hello',
    kinds: ALL,
    isQuick: true,
    isInTable: true,
  },
  {
    id: 'read',
    label: 'reading an authenticated session',
    method: 'GET',
    path: '/me',
    seed: SMALL,
    kinds: ALL,
    isQuick: true,
    isInTable: true,
  },
  {
    id: 'read-2-replicas',
    label: 'reading, two replicas',
    method: 'GET',
    path: '/me',
    seed: SMALL,
    contestants: WITH_REPLICAS,
    replicas: 2,
  },
  {
    id: 'change',
    label: '1 attribute of a small session changed',
    method: 'POST',
    path: '/change?bytes=100',
    seed: SMALL,
    isQuick: true,
    isInTable: true,
  },
  change(1),
  change(10),
  change(100),
  {
    id: 'login-logout',
    label: 'login and logout in turn',
    method: 'POST',
    path: '/login',
    script: 'login-logout.lua',
    isQuick: true,
    isInTable: true,
  },
  growth(10),
  growth(1000),
];

/** One of 50 attributes is changed in a session of `kB`. */
function change(kB) {
  const bytes = (kB * 1000) / 50;
  return {
    id: `change-${kB}kB`,
    label: `1 of 50 attributes changed, session of ${kB} kB`,
    method: 'POST',
    path: `/change?bytes=${bytes}`,
    seed: { count: 50, bytes },
  };
}

/** One attribute is read of a session that has `count`. */
function growth(count) {
  return {
    id: `read-1-of-${count}`,
    label: `reading 1 of ${count} attributes`,
    method: 'GET',
    path: '/me',
    seed: { count: count - 2, bytes: 20 },
    kinds: ['ours'],
    contestants: ['fastify-ours-lean', 'express-ours-lean'],
  };
}
