// npm run chaos [-- --minutes 2] [--platform both|express|fastify]
// Does everything to two replicas and their Redis that goes wrong in production, under 100 requests a second. Each user checks every
// answer: what was acknowledged must be there, a cookie that was logged out must stay dead. Prints a table, and exits 1 when a promise
// was broken.
import { setTimeout as delay } from 'node:timers/promises';
import { Crowd } from './chaos/crowd.mjs';
import { FAULTS } from './chaos/faults.mjs';
import { Site } from './chaos/site.mjs';
import { buildIfStale } from './demo/build.mjs';
import { readOptions } from './demo/options.mjs';
import { ensurePrograms } from './servers/ensure-programs.mjs';

const SETTLE_MS = 3_000;
const VIOLATIONS = ['lost login', 'lost update', 'doubled update', 'revived'];
const COLUMNS = ['ok', 'refused', 'broken', ...VIOLATIONS];

try {
  process.exitCode = await main(
    readOptions({
      minutes: ['2', '1', '5', '10', '30'],
      platform: ['both', 'express', 'fastify'],
    }),
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @returns {Promise<number>} the exit code */
async function main({ minutes, platform }) {
  await ensurePrograms(['redis-server', 'nginx']);
  await buildIfStale();
  const platforms = platform === 'both' ? ['express', 'fastify'] : [platform];
  const headings = ['platform', 'fault'.padEnd(22), ...COLUMNS, 'seconds until back'];
  console.log(`| ${headings.join(' | ')} |\n|${headings.map(() => ' --- ').join('|')}|`);
  let violations = 0;
  for (const each of platforms)
    violations += await torment(each, (Number(minutes) * 60_000) / platforms.length);
  if (violations === 0) console.log('\nNo promise was broken.');
  else console.error(`\nFAILED: ${violations} answers broke a promise.`);
  return violations === 0 ? 0 : 1;
}

/** @returns {Promise<number>} how many answers broke a promise */
async function torment(/** @type {string} */ platform, /** @type {number} */ forMs) {
  const site = new Site(platform);
  let violations = 0;
  try {
    await site.start();
    const crowd = new Crowd(site.url);
    const load = crowd.run();
    const endsAtMs = performance.now() + forMs;
    do {
      for (const [name, inflict] of Object.entries(FAULTS)) {
        await inflict(site);
        const endedAtMs = performance.now();
        await delay(SETTLE_MS);
        const counts = crowd.take();
        violations += VIOLATIONS.reduce((sum, kind) => sum + (counts.get(kind) ?? 0), 0);
        const cells = COLUMNS.map((kind) => counts.get(kind) ?? 0);
        const seconds = crowd.secondsUntilBack(endedAtMs).toFixed(1);
        console.log(`| ${[platform, name.padEnd(22), ...cells, seconds].join(' | ')} |`);
      }
    } while (performance.now() < endsAtMs);
    crowd.stop();
    await load;
  } finally {
    await site.stop();
  }
  return violations;
}
