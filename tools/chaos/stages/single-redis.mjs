import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startRedisServer } from '../../servers/redis-server.mjs';
import { startTcpProxy } from '../../servers/tcp-proxy.mjs';
import { EVERYTHING, READS, READS_AND_LOGOUTS } from '../model-user.mjs';
import { FAULT_MS, lossesOfEmptying } from './stage.mjs';

const DOWN_MS = 1_000;
const BETWEEN_CUTS_MS = 50;
const ONE_WAY_MS = 100;
const STALL_MS = 500;
const BETWEEN_REWRITES_MS = 300;
const BETWEEN_FLUSHES_MS = 50;
/** Of what clients send, so much gets no reply, although Redis does it. */
const LOST_SHARE = 0.05;
const NOBODYS_PORT = 1;

/**
 * One Redis that writes everything to its disk before it answers, and a network that can be made bad.
 *
 * @returns {Promise<import('./stage.mjs').Stage>}
 */
export async function startSingleRedis() {
  const folder = await mkdtemp(join(tmpdir(), 'chaos-'));
  const start = (/** @type {number | undefined} */ port) =>
    startRedisServer({
      args: [
        ...['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always'],
        ...['--enable-debug-command', 'local'],
      ],
      ...(port && { port }),
    });
  let redis = await start();
  const proxy = await startTcpProxy({ targetPort: redis.port });
  const control = new Redis(redis.url, { maxRetriesPerRequest: null });
  control.on('error', () => undefined);
  const kill = async () => {
    await redis.kill('SIGKILL');
    await delay(DOWN_MS);
    redis = await start(redis.port);
  };
  const freeze = async () => {
    await redis.kill('SIGSTOP');
    await delay(FAULT_MS);
    await redis.kill('SIGCONT');
  };
  return {
    variables: { REDIS_URL: `redis://127.0.0.1:${proxy.port}` },
    faults: {
      ...REPLICA_FAULTS,
      ...serverFaults(control),
      'Redis cannot save': { inflict: () => breakSnapshots(control, folder), serves: READS },
      'Redis frozen': { inflict: freeze },
      'Redis killed': { inflict: kill },
      ...networkFaults(proxy),
    },
    async stop() {
      control.disconnect();
      await proxy.refuse();
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** @type {Record<string, import('./stage.mjs').Fault>} */
const REPLICA_FAULTS = {
  nothing: { inflict: () => delay(FAULT_MS), serves: EVERYTHING },
  'replica killed': {
    async inflict(sites) {
      await Promise.all(sites.map((site) => site.replacePod('SIGKILL')));
    },
  },
  'replica stopped': {
    async inflict(sites) {
      const exitCodes = await Promise.all(sites.map((site) => site.replacePod('SIGTERM')));
      const failed = exitCodes.filter((exitCode) => exitCode !== 0);
      return { violations: failed.map((exitCode) => `a replica ended with exit code ${exitCode}`) };
    },
  },
  'clients leave early': {
    serves: EVERYTHING,
    async inflict(sites) {
      for (const { crowd } of sites) crowd.isInAHurry = true;
      await delay(FAULT_MS);
      for (const { crowd } of sites) crowd.isInAHurry = false;
    },
  },
};

/** @returns {Record<string, import('./stage.mjs').Fault>} */
function serverFaults(/** @type {Redis} */ control) {
  return {
    'Redis paused': {
      async inflict() {
        await control.call('CLIENT', 'PAUSE', String(FAULT_MS));
        await delay(FAULT_MS);
      },
    },
    'Redis asleep': {
      async inflict() {
        await control.call('DEBUG', 'SLEEP', String(FAULT_MS / 1_000));
      },
    },
    'Redis emptied': {
      async inflict() {
        await repeat(BETWEEN_FLUSHES_MS, () => control.flushall());
        return { mayLose: lossesOfEmptying() };
      },
      serves: EVERYTHING,
    },
    'connections cut': {
      inflict: () =>
        repeat(BETWEEN_CUTS_MS, () =>
          control.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
        ),
    },
    'scripts flushed': {
      inflict: () => repeat(BETWEEN_CUTS_MS, () => control.script('FLUSH')),
      serves: EVERYTHING,
    },
    'commands forbidden': {
      async inflict() {
        await control.call('ACL', 'SETUSER', 'default', '-@scripting');
        await delay(FAULT_MS);
        await control.call('ACL', 'SETUSER', 'default', '+@scripting');
      },
    },
    'append-only file rewritten': {
      inflict: () =>
        repeat(BETWEEN_REWRITES_MS, () => control.bgrewriteaof().catch(() => undefined)),
      serves: EVERYTHING,
    },
    'Redis full': {
      inflict: () => withConfig(control, 'maxmemory', '1'),
      serves: READS_AND_LOGOUTS,
    },
    'Redis read-only': {
      async inflict() {
        await control.replicaof('127.0.0.1', NOBODYS_PORT);
        await delay(FAULT_MS);
        await control.replicaof('NO', 'ONE');
      },
    },
    'no replica to write to': {
      inflict: () => withConfig(control, 'min-replicas-to-write', '1'),
    },
  };
}

/** @returns {Record<string, import('./stage.mjs').Fault>} */
function networkFaults(/** @type {import('../../servers/tcp-proxy.mjs').TcpProxy} */ proxy) {
  return {
    '100 ms each way': {
      serves: EVERYTHING,
      async inflict() {
        proxy.delayMs = ONE_WAY_MS;
        await delay(FAULT_MS);
        proxy.delayMs = 0;
      },
    },
    'network stalls': {
      serves: EVERYTHING,
      inflict: () =>
        repeat(STALL_MS, async () => {
          proxy.pause();
          await delay(STALL_MS);
          proxy.resume();
        }),
    },
    'replies lost': {
      async inflict() {
        proxy.losesReplyTo = () => Math.random() < LOST_SHARE;
        await delay(FAULT_MS);
        proxy.losesReplyTo = undefined;
      },
    },
    'connections reset': { inflict: () => repeat(BETWEEN_CUTS_MS, () => proxy.reset()) },
    'new connections reset': {
      async inflict() {
        proxy.resetsNewConnections = true;
        proxy.reset();
        await delay(FAULT_MS);
        proxy.resetsNewConnections = false;
      },
    },
    'connections half-open': {
      async inflict() {
        const overAtMs = performance.now();
        proxy.swallow();
        await delay(FAULT_MS);
        return { overAtMs };
      },
    },
    'network cut': {
      async inflict() {
        await proxy.refuse();
        await delay(FAULT_MS);
        await proxy.accept();
      },
    },
  };
}

async function repeat(/** @type {number} */ pauseMs, /** @type {() => unknown} */ act) {
  const endsAtMs = performance.now() + FAULT_MS;
  while (performance.now() < endsAtMs) {
    await act();
    await delay(pauseMs);
  }
}

/** A folder lies where the snapshot is to be written. */
async function breakSnapshots(/** @type {Redis} */ control, /** @type {string} */ folder) {
  const snapshot = join(folder, 'dump.rdb');
  await mkdir(snapshot);
  await control.config('SET', 'save', '3600 1000000');
  await control.bgsave();
  while (!(await control.info('persistence')).includes('rdb_last_bgsave_status:err'))
    await delay(BETWEEN_CUTS_MS);
  await delay(FAULT_MS);
  await control.config('SET', 'save', '');
  await rm(snapshot, { recursive: true });
}

async function withConfig(
  /** @type {Redis} */ control,
  /** @type {string} */ name,
  /** @type {string} */ value,
) {
  await control.config('SET', name, value);
  await delay(FAULT_MS);
  await control.config('SET', name, '0');
}
