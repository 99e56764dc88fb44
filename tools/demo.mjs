// npm run demo [-- --check] [--platform express|fastify] [--store redis|postgres|mongo|memory] [--sticky]
// Starts Redis, PostgreSQL or FerretDB, two replicas of apps/demo and nginx before them, and stays until Ctrl-C; --check plays a visitor, prints
// what it saw, and exits 0 or 1. With --store memory, --sticky keeps each browser on one replica. Environment: PORT of nginx (default 8080, with --check a free one), REDIS_URL,
// DATABASE_URL, MONGODB_URL.
import { buildIfStale } from './demo/build.mjs';
import { checkLoginEndsWithReplica, checkLoginIsLost } from './demo/check-memory.mjs';
import { checkLoginSurvives } from './demo/check-survives.mjs';
import { readOptions } from './demo/options.mjs';
import { startStack } from './demo/stack.mjs';
import { ensurePrograms } from './servers/ensure-programs.mjs';

const CHECK_WITHIN_MS = 60_000;

try {
  process.exitCode = await main(
    readOptions({
      check: 'boolean',
      platform: ['express', 'fastify'],
      store: ['redis', 'postgres', 'mongo', 'memory'],
      sticky: 'boolean',
    }),
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @returns {Promise<number>} the exit code */
async function main({ check, platform, store, sticky }) {
  if (sticky && store !== 'memory')
    throw new Error('--sticky must go with --store memory: other stores need no sticky sessions.');
  const interrupted = new Promise((resolve) => {
    // Stays in place: npm passes the terminal's Ctrl-C on once more, and the second one must not kill us while we stop.
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, resolve);
  });
  await ensurePrograms([...serversOf(store), 'nginx']);
  await buildIfStale();
  const stack = await startStack({ platform, store, isCheck: check, isSticky: sticky });
  try {
    console.log(`nginx ${stack.url} in front of ${stack.pods.map(describePod).join(' and ')}`);
    console.log(`platform ${platform}, sessions in ${stack.storeUrl}\n`);
    if (check) return await runCheck(store, stack, interrupted);
    console.log(`Open ${stack.url} and reload; log in as kim/kim or admin/admin. Ctrl-C ends it.`);
    await interrupted;
    return 0;
  } finally {
    await stack.stop();
  }
}

/** @returns {Promise<number>} 0 when the check passed */
async function runCheck(store, stack, interrupted) {
  const checkInMemory = stack.isSticky ? checkLoginEndsWithReplica : checkLoginIsLost;
  const check = store === 'memory' ? checkInMemory : checkLoginSurvives;
  let timer;
  const tooLate = new Promise((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`It took more than ${CHECK_WITHIN_MS} ms.`)),
      CHECK_WITHIN_MS,
    );
  });
  try {
    await Promise.race([
      check(stack),
      tooLate,
      interrupted.then(() => Promise.reject(new Error('Interrupted.'))),
    ]);
    return 0;
  } catch (error) {
    console.error(`\nFAILED: ${error.message}`);
    for (const pod of stack.pods) console.error(`\nlog of ${pod.name}:\n${pod.output()}`);
    return 1;
  } finally {
    clearTimeout(timer);
  }
}

/** @returns {readonly string[]} the programs that keep the sessions, unless they run elsewhere */
function serversOf(/** @type {string} */ store) {
  const { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl } = process.env;
  if (store === 'redis' && !redisUrl) return ['redis-server'];
  return store === 'postgres' && !databaseUrl ? ['postgres'] : [];
}

function describePod({ name, url }) {
  return `${name} (${url})`;
}
