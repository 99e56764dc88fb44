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
 * @property {boolean} [isQuick] - also part of a quick run
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
const SMALL = { count: 0, bytes: 0 };
const EVERY_CONNECTIONS = [1, 32, 64];

/** @type {Scenario[]} */
export const SCENARIOS = [
  {
    id: 'no-cookie',
    label: 'no cookie, session untouched',
    method: 'GET',
    path: '/hello',
    kinds: ALL,
    isQuick: true,
  },
  {
    id: 'read',
    label: 'reading an authenticated session',
    method: 'GET',
    path: '/me',
    seed: SMALL,
    kinds: ALL,
    connections: EVERY_CONNECTIONS,
    isQuick: true,
  },
  {
    id: 'read-2-replicas',
    label: 'reading, two replicas',
    method: 'GET',
    path: '/me',
    seed: SMALL,
    kinds: ALL,
    replicas: 2,
  },
  change(1),
  { ...change(10), isQuick: true },
  change(100),
  {
    id: 'login-logout',
    label: 'login and logout in turn',
    method: 'POST',
    path: '/login',
    script: 'login-logout.lua',
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
  };
}
