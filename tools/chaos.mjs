// npm run chaos [-- --minutes 2] [--platform both|mixed|express|fastify] [--only sentinel] [--server /path/to/redis-server]
// Does everything to two replicas and their Redis that goes wrong in production, under 100 requests a second. Each user checks every
// answer: what was acknowledged must be there, a cookie that was logged out must stay dead. Prints a table, and exits 1 when a promise
// was broken. `--only` takes a part of a name in the first columns; `--minutes` repeats the round until they have passed.
import { setTimeout as delay } from 'node:timers/promises';
import { COLUMNS, Judge } from './chaos/judge.mjs';
import { Site } from './chaos/site.mjs';
import { startCluster } from './chaos/stages/cluster.mjs';
import { startExpiry } from './chaos/stages/expiry.mjs';
import { startDurableSentinel, startSentinel } from './chaos/stages/sentinel.mjs';
import { startSingleRedis } from './chaos/stages/single-redis.mjs';
import { buildIfStale } from './demo/build.mjs';
import { readOptions } from './demo/options.mjs';
import { ensurePrograms } from './servers/ensure-programs.mjs';

/** Faults follow each other when no request has failed for so long. */
const QUIET_MS = 1_000;
const BACK_WITHIN_MS = 15_000;

const STAGES = {
  'one Redis': startSingleRedis,
  expiry: startExpiry,
  Sentinel: startSentinel,
  'Sentinel, durable': startDurableSentinel,
  Cluster: startCluster,
};

/** What was counted beside the answers to users. @type {string[]} */
const notes = [];

try {
  process.exitCode = await main(
    readOptions({
      minutes: ['0', '1', '2', '5', '10', '30'],
      platform: ['both', 'mixed', 'express', 'fastify'],
      only: 'text',
      server: 'text',
    }),
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @returns {Promise<number>} the exit code */
async function main({ minutes, platform, only = '', server }) {
  if (server) process.env.REDIS_SERVER = server;
  await ensurePrograms(['redis-server', 'nginx']);
  await buildIfStale();
  const platforms = platform === 'both' ? ['express', 'fastify'] : [platform];
  const headings = ['platform', 'Redis', 'fault'.padEnd(22), ...COLUMNS, 'seconds until back'];
  console.log(`| ${headings.join(' | ')} |\n|${headings.map(() => ' --- ').join('|')}|`);
  const endsAtMs = performance.now() + Number(minutes) * 60_000;
  const violations = [];
  const stages = Object.keys(STAGES).filter((stage) => mayMatch(stage, only));
  if (stages.length === 0)
    throw new Error(
      `Cannot run "${only}": no stage has that name. There are ${Object.keys(STAGES).join(', ')}.`,
    );
  do {
    for (const stage of stages)
      for (const each of platforms) violations.push(...(await torment(stage, each, only)));
  } while (performance.now() < endsAtMs);
  if (notes.length > 0) console.log(`\n${notes.join('\n')}`);
  if (violations.length === 0) console.log('\nNo promise was broken.');
  else console.error(`\nFAILED:\n${violations.join('\n')}`);
  return violations.length === 0 ? 0 : 1;
}

/** Whether a fault of the stage may match: `Sentinel: master` starts no Cluster. */
function mayMatch(/** @type {string} */ stage, /** @type {string} */ only) {
  const [stageName] = only.split(':');
  return stageName === only || stage.includes(stageName);
}

/** @returns {Promise<string[]>} a line for each promise that was broken */
async function torment(
  /** @type {string} */ stageName,
  /** @type {string} */ platform,
  /** @type {string} */ only,
) {
  const stage = await STAGES[stageName]();
  const site = new Site(stage, platform);
  const judge = new Judge();
  const broken = [];
  try {
    await site.start();
    for (const [name, fault] of Object.entries(stage.faults)) {
      if (!`${stageName}: ${name}`.includes(only)) continue;
      const { row, violations, note } = await observe(site, fault, judge);
      console.log(`| ${[platform, stageName, name.padEnd(22), ...row].join(' | ')} |`);
      if (note) notes.push(`${platform}: ${note}.`);
      broken.push(...violations.map((text) => `${platform}, ${stageName}, ${name}: ${text}`));
    }
  } finally {
    await site.stop();
    await stage.stop();
  }
  return broken;
}

/** @returns {Promise<{ row: (number | string)[], violations: string[], note?: string }>} what was seen of one fault */
async function observe(
  /** @type {Site} */ site,
  /** @type {import('./chaos/stages/stage.mjs').Fault} */ { inflict, refusesNobody },
  /** @type {Judge} */ judge,
) {
  const aftermath = (await inflict(site)) ?? {};
  const { overAtMs = performance.now(), mayLose, note } = aftermath;
  const giveUpAtMs = performance.now() + BACK_WITHIN_MS;
  const lastBadAtMs = () => Math.max(overAtMs, site.crowd.lastFailureAtMs);
  do await delay(QUIET_MS / 10);
  while (performance.now() < Math.min(giveUpAtMs, lastBadAtMs() + QUIET_MS));
  const { counts, violations } = judge.judge(site.crowd.take(), {
    refusesNobody,
    mayLose,
    isBack: performance.now() < giveUpAtMs,
  });
  const seconds = (lastBadAtMs() - overAtMs) / 1_000;
  return {
    row: [...COLUMNS.map((column) => counts[column]), seconds.toFixed(1)],
    violations: [...violations, ...(aftermath.violations ?? [])],
    note,
  };
}
