// node bench/near-cache-window.mjs [--tries 200]: how long a replica with a near cache still serves a session that
// another replica has ended. Needs `npm run build:lib`.
// The replicas are processes of their own. One deletes the session and says so as soon as Redis has answered; from then on
// the other one is asked for it without a pause, until it is gone.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { NearCacheSessionRepository } from '../libs/redis-session/build/redis/near-cache/near-cache-session-repository.js';
import { RedisSessionRepository } from '../libs/redis-session/build/redis/sessions/redis-session-repository.js';
import { startRedisServer } from '../tools/servers/redis-server.mjs';

const OPTIONS = { namespace: 'window' };

if (process.env.BENCH_WINDOW_REDIS) endSessions(process.env.BENCH_WINDOW_REDIS);
else await main();

/** The other replica: deletes what it is told to, and tells when it is done, in ms of the clock that both share. */
function endSessions(redisUrl) {
  const repository = new RedisSessionRepository(new Redis(redisUrl), OPTIONS);
  process.on('message', async (id) => {
    await repository.deleteById(id);
    process.send(performance.timeOrigin + performance.now());
  });
  process.on('disconnect', () => process.exit());
}

async function main() {
  const { values } = parseArgs({ options: { tries: { type: 'string', default: '200' } } });
  const redis = await startRedisServer();
  const client = new Redis(redis.url);
  const rules = { maxSessions: 1000, flushIntervalMs: 5000 };
  const repository = new NearCacheSessionRepository(client, OPTIONS, rules);
  const other = fork(process.argv[1], { env: { ...process.env, BENCH_WINDOW_REDIS: redis.url } });
  try {
    await repository.start();
    const windows = [];
    for (let n = 0; n < Number(values.tries); n++) windows.push(await measure(repository, other));
    report(windows.sort((a, b) => a - b));
  } finally {
    other.disconnect();
    await repository.stop();
    client.disconnect();
    await redis.stop();
  }
}

/** @returns {Promise<number>} ms from the end of the deletion to the last read that still found the session; 0 = none did */
async function measure(repository, other) {
  const session = repository.createSession();
  session.setAttribute('user', 'kim');
  await repository.save(session);
  const read = () => repository.findById(session.id, { accessTimeMs: Date.now() });
  await read();
  const deleted = once(other, 'message');
  let deletedMs = Infinity;
  void deleted.then(([atMs]) => (deletedMs = atMs));
  other.send(session.id);
  let foundMs = 0;
  for (;;) {
    const askedMs = performance.timeOrigin + performance.now();
    if (!(await read())) break;
    foundMs = askedMs;
    await nextTurn();
  }
  await deleted;
  return Math.max(0, foundMs - deletedMs);
}

function report(windows) {
  const ms = (value) => `${value.toFixed(2)} ms`;
  const late = windows.filter((value) => value > 0).length;
  console.log(
    `${windows.length} tries: median ${ms(windows[Math.floor(windows.length / 2)])}, 95 % ${ms(windows[Math.floor(windows.length * 0.95)])}, max ${ms(windows.at(-1))}; ${late} times the session was still served after the deletion was answered.`,
  );
}
