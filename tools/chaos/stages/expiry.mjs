import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { RedisIndexedSessionRepository } from 'nestjs-redis-session/store';
import { startRedisServer } from '../../servers/redis-server.mjs';
import { EVERYTHING } from '../model-user.mjs';

const WORKER = fileURLToPath(new URL('../expiry-worker.mjs', import.meta.url));
const NAMESPACE = 'chaos:expiry';
const SESSIONS = 5_000;
const SESSIONS_IN_USE = 100;
const SESSIONS_AT_ONCE = 50;
const LIFETIME_SECONDS = 5;
const WORKERS = 2;
const KILLS = 12;
/** A worker is killed after it has told so many ends at most. */
const MAX_ENDS_BEFORE_KILL = 300;
/** A dead worker's sessions are somebody else's after 30 s, and its heir may die as well. */
const TOLD_WITHIN_MS = 90_000;

/**
 * One Redis with sessions that expire, and workers of which one after the other is killed.
 *
 * @returns {Promise<import('./stage.mjs').Stage>}
 */
export async function startExpiry() {
  const redis = await startRedisServer();
  return {
    repositories: ['indexed'],
    variables: { REDIS_URL: redis.url },
    faults: { 'workers killed': { inflict: () => killWorkers(redis.url), serves: EVERYTHING } },
    stop: () => redis.stop(),
  };
}

/** @returns {Promise<import('./stage.mjs').Aftermath>} */
async function killWorkers(/** @type {string} */ url) {
  const client = new Redis(url);
  try {
    const ends = new Ends(await openSessions(client));
    await ends.haveToldBy(url);
    const keys = await client.keys(`${NAMESPACE}:*:sessions:*`);
    const left = keys.filter((key) => !key.endsWith(':expirations'));
    return { violations: ends.violations(left.length), note: ends.note };
  } finally {
    client.disconnect();
  }
}

/** @returns {Promise<{ expiring: Set<string>, inUse: Set<string> }>} ids */
async function openSessions(/** @type {Redis} */ client) {
  const repository = new RedisIndexedSessionRepository(client, {
    eventDelivery: 'once',
    namespace: NAMESPACE,
  });
  const open = async (/** @type {number} */ lifetimeSeconds) => {
    const session = repository.createSession();
    session.maxInactiveIntervalSeconds = lifetimeSeconds;
    session.setAttribute('cart', ['tea']);
    await repository.save(session);
    return session.id;
  };
  const openAll = async (/** @type {number} */ count, /** @type {number} */ lifetimeSeconds) => {
    /** @type {Set<string>} */
    const ids = new Set();
    while (ids.size < count) {
      const batch = Array.from({ length: SESSIONS_AT_ONCE }, () => open(lifetimeSeconds));
      for (const id of await Promise.all(batch)) ids.add(id);
    }
    return ids;
  };
  const inUse = await openAll(SESSIONS_IN_USE, 3_600);
  return { inUse, expiring: await openAll(SESSIONS, LIFETIME_SECONDS) };
}

/** Which ends of sessions were told, by whom workers tell. */
class Ends {
  #expiring;
  #inUse;
  /** The ids of the events, by session. @type {Map<string, Set<string>>} */
  #told = new Map();
  #tellings = 0;
  #killed = 0;

  constructor(/** @type {{ expiring: Set<string>, inUse: Set<string> }} */ { expiring, inUse }) {
    this.#expiring = expiring;
    this.#inUse = inUse;
  }

  /** Lets workers run, and kills one after the other, until every end was told or it is too late. */
  async haveToldBy(/** @type {string} */ url) {
    const tooLate = AbortSignal.timeout(TOLD_WITHIN_MS);
    const turns = Array.from({ length: WORKERS }, async (_, number) => {
      for (let life = 0; !tooLate.aborted && this.#missing > 0; life++)
        await this.#letWork(url, `worker-${number}-${life}`, tooLate);
    });
    await Promise.all(turns);
  }

  /** @returns {readonly string[]} @param {number} leftInRedis - sessions that Redis still has */
  violations(leftInRedis) {
    const doubled = [...this.#told.values()].filter((eventIds) => eventIds.size > 1).length;
    const early = [...this.#told.keys()].filter((id) => this.#inUse.has(id)).length;
    return [
      [this.#missing, 'ends of sessions never told'],
      [doubled, 'ends of sessions recorded twice'],
      [early, 'sessions ended that were in use'],
      [Math.abs(leftInRedis - this.#inUse.size), 'sessions left in Redis, or missing there'],
    ].flatMap(([count, what]) => (Number(count) > 0 ? [`${count} ${what}`] : []));
  }

  get note() {
    const again = this.#tellings - this.#told.size;
    return `${SESSIONS} sessions expired, ${this.#killed} workers killed: ${this.#told.size} ends told, ${again} of them again`;
  }

  get #missing() {
    return [...this.#expiring].filter((id) => !this.#told.has(id)).length;
  }

  /** Until the worker has told enough and is killed, or nothing is missing. */
  async #letWork(
    /** @type {string} */ url,
    /** @type {string} */ name,
    /** @type {AbortSignal} */ tooLate,
  ) {
    const worker = fork(WORKER, [url, NAMESPACE, name]);
    const exited = once(worker, 'exit');
    const end = () => worker.kill('SIGKILL');
    tooLate.addEventListener('abort', end);
    let untilKill = Math.ceil(Math.random() * MAX_ENDS_BEFORE_KILL);
    worker.on('message', (/** @type {{ sessionId: string, eventId: string }} */ message) => {
      this.#hear(message);
      const isToDie = --untilKill === 0 && this.#killed < KILLS;
      if (isToDie) this.#killed++;
      if (isToDie || this.#missing === 0) end();
    });
    await exited;
    tooLate.removeEventListener('abort', end);
  }

  #hear(/** @type {{ sessionId: string, eventId: string }} */ { sessionId, eventId }) {
    const eventIds = this.#told.get(sessionId) ?? new Set();
    this.#told.set(sessionId, eventIds.add(eventId));
    this.#tellings++;
  }
}
