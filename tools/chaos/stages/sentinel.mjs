import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { eventually } from '../../servers/eventually.mjs';
import { startRedisServer } from '../../servers/redis-server.mjs';
import { startRedisSentinel } from '../../servers/redis-sentinel.mjs';
import { FAULT_MS, lossesOf } from './stage.mjs';

const SWITCHED_WITHIN_MS = 30_000;
const REPLICAS = 2;
/** What Sentinels and replicas need of a server. Without it they leave a master that the application still reaches. */
const OF_SENTINELS = [
  'ping',
  'info',
  'replicaof',
  'slaveof',
  'publish',
  'subscribe',
  'multi',
  'psync',
];

/** @typedef {import('./stage.mjs').Stage} Stage */

/**
 * A master with two replicas and three Sentinels, without `durability`.
 *
 * @returns {Promise<Stage>}
 */
export const startSentinel = () => startStage({ isDurable: false });

/**
 * The same; logins and logouts are answered once both replicas have them.
 *
 * @returns {Promise<Stage>}
 */
export const startDurableSentinel = () => startStage({ isDurable: true });

/** @returns {Promise<Stage>} */
async function startStage(/** @type {{ isDurable: boolean }} */ { isDurable }) {
  const group = await SentinelGroup.start();
  /** @param {(master: number) => Promise<unknown>} begin @param {(master: number) => Promise<unknown>} end */
  const failover = (begin, end) => ({
    async inflict() {
      const startedAtMs = performance.now();
      const promotedAtMs = await group.switchBy(begin);
      await delay(FAULT_MS);
      await end(group.formerPort);
      await group.waitUntilComplete();
      const mayLose = lossesOf({ startedAtMs, promotedAtMs, keepsLogins: isDurable });
      // Until both replicas are back nobody can promise a login to them.
      return { mayLose, overAtMs: isDurable ? performance.now() : promotedAtMs };
    },
  });
  const nothing = () => Promise.resolve();
  return {
    variables: {
      REDIS_MASTER: group.name,
      REDIS_SENTINELS: group.sentinels.map(({ host, port }) => `${host}:${port}`).join(','),
      ...(isDurable && { DURABLE_REPLICAS: String(REPLICAS) }),
    },
    faults: {
      'planned failover': failover(() => group.failOver(), nothing),
      'master frozen': failover(
        (master) => group.signal(master, 'SIGSTOP'),
        (master) => group.signal(master, 'SIGCONT'),
      ),
      'master killed': failover(
        (master) => group.signal(master, 'SIGKILL'),
        (master) => group.startReplica(master),
      ),
      'master seen by us only': failover(
        (master) => group.allow(master, '-'),
        (master) => group.allow(master, '+'),
      ),
    },
    stop: () => group.stop(),
  };
}

/** The servers, by their ports, and who is master. */
class SentinelGroup {
  /** @type {Map<number, import('../../servers/redis-server.mjs').RedisServer>} */
  #servers;
  #group;
  /** @type {Redis[]} */
  #watchers = [];
  /** The port of the master before the last switch. */
  formerPort = 0;

  static async start() {
    const group = new SentinelGroup(await startRedisSentinel());
    await Promise.all(group.#watchers.map((watcher) => watcher.subscribe('+switch-master')));
    return group;
  }

  /** @param {import('../../servers/redis-sentinel.mjs').RedisSentinel} group */
  constructor(group) {
    this.#group = group;
    this.#servers = new Map(
      [group.master, ...group.replicas].map((server) => [server.port, server]),
    );
    this.#watchers = group.sentinels.map((address) => new Redis(address));
  }

  get name() {
    return this.#group.name;
  }

  get sentinels() {
    return this.#group.sentinels;
  }

  /** @returns {Promise<number>} when the first Sentinel reported another master than the one that `begin` was told */
  async switchBy(/** @type {(master: number) => Promise<unknown>} */ begin) {
    this.formerPort = await this.masterPort();
    const switched = this.#watchers.map(
      (watcher) =>
        new Promise((resolve) => watcher.once('message', () => resolve(performance.now()))),
    );
    await begin(this.formerPort);
    const tooLate = AbortSignal.timeout(SWITCHED_WITHIN_MS);
    const late = new Promise((_, reject) => {
      tooLate.onabort = () => reject(new Error('Sentinel has promoted nobody.'));
    });
    return Promise.race([...switched, late]);
  }

  async masterPort() {
    const [, port] = await this.#ask(this.sentinels[0], (sentinel) =>
      sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name),
    );
    return Number(port);
  }

  failOver() {
    return this.#ask(this.sentinels[0], (sentinel) =>
      sentinel.call('SENTINEL', 'FAILOVER', this.name),
    );
  }

  signal(/** @type {number} */ port, /** @type {'SIGKILL' | 'SIGSTOP' | 'SIGCONT'} */ signal) {
    return this.#servers.get(port).kill(signal);
  }

  /** Lets Sentinels and replicas reach a server, or not; its clients notice nothing. */
  async allow(/** @type {number} */ port, /** @type {'+' | '-'} */ sign) {
    await this.#ask({ port }, async (server) => {
      await server.call('ACL', 'SETUSER', 'default', ...OF_SENTINELS.map((name) => sign + name));
      await server.call('CLIENT', 'KILL', 'TYPE', 'replica');
    });
  }

  async startReplica(/** @type {number} */ port) {
    const args = ['--replicaof', `127.0.0.1 ${await this.masterPort()}`];
    this.#servers.set(port, await startRedisServer({ port, args }));
  }

  /** Until the master of now has both replicas. */
  async waitUntilComplete() {
    await eventually(async () => {
      const port = await this.masterPort();
      const info = await this.#ask({ port }, (master) => master.info('replication'));
      return info.split('state=online').length - 1 === REPLICAS;
    }, SWITCHED_WITHIN_MS);
  }

  async stop() {
    for (const watcher of this.#watchers) watcher.disconnect();
    await Promise.all([...this.#servers.values()].map((server) => server.stop()));
    await this.#group.stop();
  }

  /** @template T @param {{ port: number }} address @param {(client: Redis) => Promise<T>} ask @returns {Promise<T>} */
  async #ask({ port }, ask) {
    const client = new Redis({ port, enableReadyCheck: false });
    client.on('error', () => undefined);
    try {
      return await ask(client);
    } finally {
      client.disconnect();
    }
  }
}
