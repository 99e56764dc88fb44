import { bare } from './bare.mjs';
import { expressSessionWithPostgres } from './connect-pg-simple.mjs';
import { expressSession } from './express-session.mjs';
import { fastifySessionWithRedis } from './fastify-session.mjs';
import { floor } from './floor.mjs';
import { ours, oursOnPostgres } from './ours.mjs';
import { parts } from './parts.mjs';

/**
 * What a contestant adds to a Nest application.
 *
 * @typedef {object} Contestant
 * @property {Function[]} controllers
 * @property {unknown[]} [imports]
 * @property {(app: import('@nestjs/common').INestApplication) => void | Promise<void>} [prepare] - before `listen`
 */

/**
 * How a contestant is started.
 *
 * @typedef {object} Setup
 * @property {string} id - prefix of its keys in Redis
 * @property {string} kind - one of {@link KINDS}
 * @property {'express' | 'fastify'} platform
 * @property {string} redisUrl
 * @property {string} [postgresUrl] - for contestants whose sessions are there
 * @property {object} options - of the library
 */

const KINDS = {
  bare,
  floor,
  ours,
  parts,
  postgres: oursOnPostgres,
  'connect-pg-simple': expressSessionWithPostgres,
  'express-session': expressSession,
  'fastify-session': fastifySessionWithRedis,
};

/** @returns {Promise<Contestant>} */
export async function createContestant(/** @type {Setup} */ setup) {
  return KINDS[setup.kind](setup);
}
