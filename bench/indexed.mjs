// node bench/indexed.mjs [--expired 100000] [--live 1000000]: what the indexed repository costs. Needs `npm run build:lib`.
// Expires sessions with three workers in processes of their own, counts how often each event was handled, and looks for
// slow commands; then measures the memory of live sessions and the time to find those of one user. Exits 1 when an event
// was not handled exactly once, or a command took longer than 5 ms; the latter only on a machine that is not overloaded,
// because Redis counts the time in which it was not allowed to run.
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { OnceEventSource } from '../libs/redis-session/build/redis/events/once-event-source.js';
import { RedisIndexedSessionRepository } from '../libs/redis-session/build/redis/indexed/redis-indexed-session-repository.js';
import { jsonSessionCodec } from '../libs/redis-session/build/session/attributes/codec.js';
import { startRedisServer } from '../tools/servers/redis-server.mjs';

const WORKERS = 3;
const SLOW_MICROSECONDS = 5000;
const AT_ONCE = 500;
const quiet = { warn() {}, error() {} };

if (process.env.BENCH_WORKER_REDIS) await work(process.env.BENCH_WORKER_REDIS);
else await main();

function repositoryOn(client, clock = Date.now) {
  return new RedisIndexedSessionRepository(client, {
    clock,
    commandTimeoutMs: 60_000,
    eventDelivery: 'once',
    logger: quiet,
    maxEvents: 10_000_000,
  });
}

function sourceOn({ client, keys }, handler, replicaName) {
  const options = { codec: jsonSessionCodec, commandTimeoutMs: 60_000, logger: quiet };
  const delivery = { deletesHandled: true, handOnAfterMs: 60_000, replicaName, handler };
  return new OnceEventSource({ client, keys, ...options, ...delivery });
}

/** One worker: ends sessions and handles events until it is told to stop. */
async function work(url) {
  const client = new Redis(url, { enableAutoPipelining: true });
  const { store } = repositoryOn(client);
  const handled = [];
  const handler = ({ type, eventId }) => {
    if (type === 'expired') handled.push(eventId);
  };
  const source = sourceOn(store, handler, `worker-${process.pid}`);
  await store.expiration.start();
  await source.start();
  await once(process, 'message');
  await store.expiration.stop();
  await source.stop();
  process.send(handled, () => process.disconnect());
  await client.quit();
}

async function main() {
  const { values } = parseArgs({
    options: {
      expired: { type: 'string', default: '100000' },
      live: { type: 'string', default: '1000000' },
    },
  });
  const server = await startRedisServer();
  giveRealTimePriority(server.pid);
  const client = new Redis(server.url, { enableAutoPipelining: true });
  try {
    await expire(server.url, client, Number(values.expired));
    await client.flushall();
    await live(client, Number(values.live));
  } finally {
    await client.quit();
    await server.stop();
  }
}

/** Redis counts the time in which it was not allowed to run: nothing shall keep it from running. Linux, root only. */
function giveRealTimePriority(pid) {
  const { status } = spawnSync('chrt', ['--fifo', '--pid', '50', String(pid)]);
  if (status !== 0)
    console.log('Redis has no priority: its slowest commands may be those in which others ran.');
}

async function expire(url, client, count) {
  const long = Date.now() - 3_600_000;
  const repository = repositoryOn(client, () => long);
  await sourceOn(repository.store, () => {}, 'first').poll();
  const before = await memoryOf(client);
  await open(repository, count, (i) => `user-${i % 1000}`);
  await sourceOn(repository.store, () => {}, 'first').poll();
  const full = await memoryOf(client);
  await client.config('SET', 'slowlog-log-slower-than', SLOW_MICROSECONDS);
  await client.slowlog('RESET');

  const startMs = performance.now();
  const env = { ...process.env, BENCH_WORKER_REDIS: url };
  const workers = Array.from({ length: WORKERS }, () => fork(import.meta.filename, { env }));
  while ((await leftOf(client, repository.store.keys)) > 0)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const seconds = (performance.now() - startMs) / 1000;
  const handled = await Promise.all(
    workers.map(async (worker) => {
      worker.send('stop');
      const [ids] = await once(worker, 'message');
      return ids;
    }),
  );
  const ids = handled.flat();
  const slow = await client.slowlog('LEN');
  console.log(`${count} expired sessions, ${WORKERS} workers: ${seconds.toFixed(1)} s`);
  console.log(
    `  handled ${ids.length}, different ${new Set(ids).size}, by worker ${handled.map((of) => of.length)}`,
  );
  console.log(`  commands above ${SLOW_MICROSECONDS / 1000} ms: ${slow}`);
  for (const entry of await client.slowlog('GET', 5))
    console.log(`    ${entry[2]} us ${entry[3][0]}`);
  console.log(
    `  memory before, full, after: ${[before, full, await memoryOf(client)].map(megabytes)}`,
  );
  const [load = 0] = loadavg();
  console.log(`  load ${load.toFixed(1)} on ${cpus().length} processors`);
  const isTooSlow = slow > 0 && load <= cpus().length;
  if (ids.length !== count || new Set(ids).size !== count || isTooSlow) process.exitCode = 1;
}

async function live(client, count) {
  const repository = repositoryOn(client);
  const { keys } = repository.store;
  const ofUser = (i) => (i < 10 ? 'ten' : i < 10_010 ? 'many' : `user-${i % (count / 10)}`);
  const before = await memoryOf(client);
  await open(repository, count, ofUser, () => sourceOn(repository.store, () => {}, 'a').poll());
  await sourceOn(repository.store, () => {}, 'a').poll();
  const all = ((await memoryOf(client)) - before) / count;
  const [member] = await client.zrange(keys.expirations(keys.partitions[0]), '0', '0');
  const hash = await client.memory('USAGE', keys.session(member));
  const scheduled = await client.memory(
    'USAGE',
    keys.expirations(keys.partitions[0]),
    'SAMPLES',
    '0',
  );
  const perScheduled = scheduled / (await client.zcard(keys.expirations(keys.partitions[0])));
  const [ofTen, ofMany] = [
    await indexBytesOf(client, keys.index('principal', 'ten')),
    await indexBytesOf(client, keys.index('principal', 'many')),
  ];
  const other = all - hash - perScheduled - ofTen;
  console.log(`${count} live sessions: ${all.toFixed(0)} bytes each`);
  console.log(
    `  hash ${hash}, expiration ${perScheduled.toFixed(0)}, index ${ofTen.toFixed(0)} of a user with 10, ${ofMany.toFixed(0)} of one with 10000; the rest ${other.toFixed(0)}`,
  );
  for (const [name, limit] of [
    ['ten', 100],
    ['many', 100],
    ['many', 10_000],
  ]) {
    const startMs = performance.now();
    const { sessions, total } = await repository.findByPrincipalName(name, { limit });
    const ms = (performance.now() - startMs).toFixed(1);
    console.log(`  findByPrincipalName, ${sessions.length} of ${total}: ${ms} ms`);
  }
}

/** What one entry of an index takes, with its share of the key. */
async function indexBytesOf(client, key) {
  return (await client.memory('USAGE', key, 'SAMPLES', '0')) / (await client.zcard(key));
}

/** Stores sessions as a login leaves them. */
async function open(repository, count, nameOf, onBatch = () => {}) {
  for (let done = 0; done < count; done += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - done) }, async (_, i) => {
      const session = repository.createSession();
      const name = nameOf(done + i);
      session.setAttribute('SECURITY_CONTEXT', { authentication: { name, authorities: ['USER'] } });
      session.setAttribute('cart', [{ sku: done + i }]);
      await session.save();
    });
    await Promise.all(batch);
    if (done % 50_000 === 0) await onBatch();
  }
}

async function leftOf(client, keys) {
  const left = await Promise.all(
    keys.partitions.flatMap((partition) => [
      client.zcard(keys.expirations(partition)),
      client.xlen(keys.events(partition)),
    ]),
  );
  return left.reduce((sum, count) => sum + count);
}

async function memoryOf(client) {
  return Number(/used_memory:(\d+)/.exec(await client.info('memory'))[1]);
}

function megabytes(bytes) {
  return ` ${(bytes / 2 ** 20).toFixed(1)} MB`;
}
