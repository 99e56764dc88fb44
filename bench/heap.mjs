// npm run bench:heap: is anything kept per session or per request? Sends a million reading requests of 100,000 different
// sessions to one replica, and prints what its heap holds after each leg, garbage collected; exits 1 when it has grown
// by more than 5 % since the first leg, which warms up.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startRedisServer } from '../tools/servers/redis-server.mjs';
import { CONTESTANTS } from './contestants.mjs';
import { load } from './measure/load.mjs';
import { startServer } from './measure/server.mjs';
import { seedSessions } from './measure/visitor.mjs';
import { prepare } from './prepare.mjs';

const REQUESTS = 1_000_000;
const SESSIONS = 100_000;
const LEG_SECONDS = 20;
const MOST_GROWTH = 1.05;

const contestantId = process.argv[2] ?? 'fastify-ours';
const spec = CONTESTANTS.find(({ id }) => id === contestantId);
if (!spec) throw new Error(`There is no contestant ${contestantId}.`);
await prepare({ withLoad: true });
const redisServer = await startRedisServer();
const folder = await mkdtemp(join(tmpdir(), 'bench-'));
try {
  const server = await startServer(spec, redisServer.url, ['--expose-gc']);
  const file = join(folder, 'cookies');
  await writeFile(file, (await manySessions(server.origin)).join('\n'));
  const heaps = [];
  for (let sent = 0; sent < REQUESTS || heaps.length < 2;) {
    const { requests } = await load({
      origins: [server.origin],
      connections: 32,
      seconds: LEG_SECONDS,
      script: 'cookies.lua',
      env: { METHOD: 'GET', REQUEST_PATH: '/me', COOKIES: file },
    });
    sent += requests;
    heaps.push(await server.heapBytes());
    console.log(`${sent} requests: ${(heaps.at(-1) / 2 ** 20).toFixed(1)} MB`);
  }
  await server.stop();
  const growth = heaps.at(-1) / heaps[0];
  console.log(`${growth.toFixed(3)} × the first leg, at most ${MOST_GROWTH} is flat`);
  process.exitCode = growth > MOST_GROWTH ? 1 : 0;
} finally {
  await redisServer.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Makes one session over HTTP and copies it in Redis. */
async function manySessions(origin) {
  const redis = new Redis(redisServer.url);
  const [cookie] = await seedSessions(origin, { count: 0, bytes: 0 }, 1);
  const [key] = await redis.keys('*');
  const [name] = cookie.split('=');
  const prefix = key.slice(0, key.indexOf('{'));
  const cookies = [];
  while (cookies.length < SESSIONS) {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 1000; i += 1) {
      const id = randomBytes(32).toString('base64url');
      pipeline.copy(key, `${prefix}{${id.slice(0, 8)}}${id.slice(8)}`);
      cookies.push(`${name}=${id}`);
    }
    await pipeline.exec();
  }
  await redis.quit();
  return cookies;
}
