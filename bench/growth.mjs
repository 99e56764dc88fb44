// npm run bench:growth: what a reading request costs Redis with more replicas, sessions, attributes and connections. Writes
// results/growth.json and a chart of each, which docs/scaling.md shows; about four minutes. CPU time per request, because
// the throughput of a machine with few cores says nothing about a fleet.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRedisServer } from '../tools/servers/redis-server.mjs';
import { CONTESTANTS } from './contestants.mjs';
import { load } from './measure/load.mjs';
import { RedisMeter } from './measure/redis-meter.mjs';
import { startServer } from './measure/server.mjs';
import { seedSessions } from './measure/visitor.mjs';
import { prepare } from './prepare.mjs';
import { barChart } from './report/chart.mjs';
import { median, spreadOf } from './report/statistics.mjs';

const RESULTS = fileURLToPath(new URL('results/', import.meta.url));
const ROUNDS = 2;
/** A process that has just started may answer nothing in a second, when many connect at once. */
const ATTEMPTS = 5;
const SECONDS = 1;
const REQUESTED_SESSIONS = 20_000;
const RESTORES_PER_PIPELINE = 5000;
const OURS = CONTESTANTS.find(({ id }) => id === 'fastify-ours-lean');
const PEER = CONTESTANTS.find(({ id }) => id === 'fastify-fastify-session-true');

await prepare({ withLoad: true });
const redis = await startRedisServer();
const meter = new RedisMeter(redis.url);
const folder = await mkdtemp(join(tmpdir(), 'bench-'));
try {
  const growth = {
    attributes: await drawn('attributes', byAttributes([2, 10, 50, 200])),
    sessions: await drawn('sessions', bySessions([1000, 10_000, 100_000, 1_000_000])),
    connections: await drawn('connections', byConnections([1, 4, 16, 64, 256])),
    replicas: await drawn('replicas', byReplicas([1, 2, 4])),
  };
  const date = new Date().toISOString().slice(0, 10);
  await writeFile(`${RESULTS}growth.json`, `${JSON.stringify({ date, growth }, null, 1)}\n`);
} finally {
  await meter.close();
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}

/** @typedef {{ label: string, isOurs: boolean, runs: { redisCpuUs: number, perSecond: number }[] }} Point */

async function byReplicas(steps) {
  const points = [];
  for (const count of steps)
    for (const spec of [OURS, PEER]) {
      points.push(
        await withServers(spec, count, async (servers) => {
          const cookies = await seedSessions(servers[0].origin, { count: 0, bytes: 0 }, 100);
          return measure(`${count} replicas`, spec, { servers, cookies, connections: 32 });
        }),
      );
    }
  return points;
}

function byConnections(steps) {
  return ofBoth(steps, { count: 0, bytes: 0 }, (connections, spec, setup) =>
    measure(`${connections} connections`, spec, { ...setup, connections }),
  );
}

async function byAttributes(steps) {
  const points = [];
  for (const count of steps) {
    const seed = { count: count - 2, bytes: 20 };
    points.push(
      ...(await ofBoth([count], seed, (_step, spec, setup) =>
        measure(`${count} attributes`, spec, { ...setup, connections: 32 }),
      )),
    );
  }
  return points;
}

/** Of ours alone: the peer signs its cookies, so that sessions cannot be copied for it. */
function bySessions(steps) {
  return withServers(OURS, 1, async (servers) => {
    const [cookie] = await seedSessions(servers[0].origin, { count: 0, bytes: 0 }, 1);
    let ids = [cookie.split('=')[1]];
    const points = [];
    for (const count of steps) {
      ids = ids.concat(await copySession(ids[0], count - ids.length));
      const step = Math.max(1, Math.floor(ids.length / REQUESTED_SESSIONS));
      const cookies = ids.filter((_id, i) => i % step === 0).map((id) => `SESSION=${id}`);
      const label = `${count.toLocaleString('en')} sessions`;
      points.push(await measure(label, OURS, { servers, cookies, connections: 32 }));
    }
    return points;
  });
}

/** @returns {Promise<string[]>} the ids of `count` copies of the session */
async function copySession(id, count) {
  const [key] = await meter.redis.keys(`*${id.slice(8)}`);
  const dump = await meter.redis.dumpBuffer(key);
  const copies = [];
  while (copies.length < count) {
    const pipeline = meter.redis.pipeline();
    for (let i = 0; i < RESTORES_PER_PIPELINE && copies.length < count; i += 1) {
      const copy = randomBytes(32).toString('base64url');
      const name = key
        .replace(id.slice(0, 8), copy.slice(0, 8))
        .replace(id.slice(8), copy.slice(8));
      pipeline.restore(name, 1_800_000, dump);
      copies.push(copy);
    }
    await pipeline.exec();
  }
  return copies;
}

async function ofBoth(steps, seed, measureStep) {
  const points = [];
  for (const spec of [OURS, PEER]) {
    await withServers(spec, 1, async (servers) => {
      const cookies = await seedSessions(servers[0].origin, seed, 100);
      for (const step of steps) points.push(await measureStep(step, spec, { servers, cookies }));
    });
  }
  return points;
}

async function withServers(spec, count, use) {
  const servers = [];
  try {
    for (let i = 0; i < count; i += 1) servers.push(await startServer(spec, redis.url));
    return await use(servers);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** @returns {Promise<Point>} */
async function measure(label, { kind }, { servers, cookies, connections }) {
  const file = join(folder, 'cookies');
  await writeFile(file, cookies.join('\n'));
  const request = () =>
    load({
      origins: servers.map(({ origin }) => origin),
      ...{ connections, seconds: SECONDS, script: 'cookies.lua' },
      env: { METHOD: 'GET', REQUEST_PATH: '/me', COOKIES: file },
    });
  await answered(request);
  const runs = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { result, use } = await answered(() => meter.during(request));
    runs.push({ redisCpuUs: use.cpuUs / result.requests, perSecond: result.perSecond });
  }
  const isOurs = kind === 'ours';
  const us = median(runs.map(({ redisCpuUs }) => redisCpuUs)).toFixed(1);
  console.log(`${isOurs ? 'ours' : 'peer'}, ${label}: ${us} µs of Redis per request`);
  return { label: `${label} · ${isOurs ? 'this library' : '@fastify/session'}`, isOurs, runs };
}

async function answered(action, attempt = 1) {
  try {
    return await action();
  } catch (error) {
    if (attempt === ATTEMPTS) throw error;
    return answered(action, attempt + 1);
  }
}

/** Draws the points as soon as they are measured. */
async function drawn(name, measured) {
  const points = await measured;
  const bars = points.map(({ label, isOurs, runs }) => ({
    ...{ label, isOurs, spread: spreadOf(runs.map(({ redisCpuUs }) => redisCpuUs)) },
  }));
  const title = `reading a session: CPU time of Redis per request, by ${name}`;
  const chart = barChart(title, 'µs, shorter is better; Fastify', bars, { isOrdered: true });
  await writeFile(`${RESULTS}growth-${name}.svg`, chart);
  return points;
}
