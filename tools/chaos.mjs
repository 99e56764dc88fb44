// npm run chaos [-- --minutes 2] [--platform both|mixed|express|fastify] [--repository both|indexed|default] [--only Sentinel]
//   [--server /path/to/redis-server]
// Does everything to two replicas and their Redis that goes wrong in production, under 100 requests a second. Each user checks every
// answer: what was acknowledged must be there, a cookie that was logged out must stay dead. Prints a table, and exits 1 when a promise
// was broken. Both repositories suffer each fault together, each with two replicas and half of the users. `--only` takes a part of a name in the first columns; `--minutes` repeats the round until they have passed.
import { setTimeout as delay } from 'node:timers/promises';
import { COLUMNS, Judge } from './chaos/judge.mjs';
import { Site } from './chaos/site.mjs';
import { startCluster } from './chaos/stages/cluster.mjs';
import { startExpiry } from './chaos/stages/expiry.mjs';
import { startDurableSentinel, startSentinel } from './chaos/stages/sentinel.mjs';
import { startShortSessions } from './chaos/stages/short-sessions.mjs';
import { startSingleRedis } from './chaos/stages/single-redis.mjs';
import { buildIfStale } from './demo/build.mjs';
import { readOptions } from './demo/options.mjs';
import { ensurePrograms } from './servers/ensure-programs.mjs';

const USERS = 40;
const REPOSITORIES = ['indexed', 'default'];

/** Faults follow each other when no request has failed for so long. */
const QUIET_MS = 1_000;
/** Requests that are sent so long after a fault, or later, must be answered as usual: `commandTimeoutMs` and one second. */
const BACK_WITHIN_MS = 3_000;
const GIVE_UP_AFTER_MS = 15_000;

const STAGES = {
  'one Redis': startSingleRedis,
  'one Redis, short sessions': startShortSessions,
  expiry: startExpiry,
  Sentinel: startSentinel,
  'Sentinel, durable': startDurableSentinel,
  Cluster: startCluster,
};

/** How many faults were observed. */
let faultCount = 0;
/** What was counted beside the answers to users. @type {string[]} */
const notes = [];

try {
  process.exitCode = await main(
    readOptions({
      minutes: ['0', '1', '2', '5', '10', '30'],
      platform: ['both', 'mixed', 'express', 'fastify'],
      repository: ['both', ...REPOSITORIES],
      only: 'text',
      server: 'text',
    }),
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @returns {Promise<number>} the exit code */
async function main({ minutes, platform, repository, only = '', server }) {
  const stages = Object.keys(STAGES).filter((stage) => mayMatch(stage, only));
  if (stages.length === 0)
    throw new Error(
      `Cannot run "${only}": no stage has that name. There are ${Object.keys(STAGES).join(', ')}.`,
    );
  if (server) process.env.REDIS_SERVER = server;
  await ensurePrograms(['redis-server', 'nginx']);
  await buildIfStale();
  const platforms = platform === 'both' ? ['express', 'fastify'] : [platform];
  const repositories = repository === 'both' ? REPOSITORIES : [repository];
  const headings = ['platform', 'repository', 'Redis', 'fault'.padEnd(22), ...COLUMNS];
  headings.push('seconds until back');
  console.log(`| ${headings.join(' | ')} |\n|${headings.map(() => ' --- ').join('|')}|`);
  const endsAtMs = performance.now() + Number(minutes) * 60_000;
  const violations = [];
  do {
    for (const stage of stages)
      for (const each of platforms)
        violations.push(...(await torment(stage, { platform: each, repositories, only })));
  } while (performance.now() < endsAtMs);
  if (faultCount === 0)
    throw new Error(`Cannot run "${only}": no fault has that name. Leave --only out to see all.`);
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

/**
 * @param {string} stageName
 * @param {{ platform: string, repositories: readonly string[], only: string }} options
 * @returns {Promise<string[]>} a line for each promise that was broken
 */
async function torment(stageName, { platform, repositories, only }) {
  const stage = await STAGES[stageName]();
  const { faults, repositories: concerned = REPOSITORIES } = stage;
  const chosen = repositories.filter((repository) => concerned.includes(repository));
  const users = USERS / chosen.length;
  const sites = chosen.map((repository) => new Site({ stage, platform, repository, users }));
  const judges = new Map(sites.map((site) => [site, new Judge()]));
  const broken = [];
  try {
    await Promise.all(sites.map((site) => site.start()));
    for (const [name, fault] of Object.entries(faults)) {
      if (!`${stageName}: ${name}`.includes(only)) continue;
      faultCount++;
      const { rows, violations, note } = await observe(judges, fault);
      for (const row of rows)
        console.log(
          `| ${[platform, row.repository, stageName, name.padEnd(22), ...row.cells].join(' | ')} |`,
        );
      if (note) notes.push(`${platform}: ${note}.`);
      broken.push(...violations.map((text) => `${platform}, ${stageName}, ${name}: ${text}`));
    }
  } finally {
    await Promise.all(sites.map((site) => site.stop()));
    await stage.stop();
  }
  return broken;
}

/**
 * @param {ReadonlyMap<Site, Judge>} judges
 * @param {import('./chaos/stages/stage.mjs').Fault} fault
 * @returns {Promise<{ rows: { repository: string, cells: (number | string)[] }[], violations: string[], note?: string }>} what was
 *   seen of one fault
 */
async function observe(judges, { inflict, serves }) {
  const sites = [...judges.keys()];
  const aftermath = (await inflict(sites)) ?? {};
  const { overAtMs = performance.now(), mayLose, note } = aftermath;
  const isWell = (/** @type {Site} */ { crowd }) =>
    crowd.isWell({ fromMs: overAtMs, quietMs: QUIET_MS });
  const giveUpAtMs = performance.now() + GIVE_UP_AFTER_MS;
  do await delay(QUIET_MS / 10);
  while (performance.now() < giveUpAtMs && !sites.every(isWell));
  const violations = [...(aftermath.violations ?? [])];
  const rows = sites.map((site) => {
    const isBack = performance.now() < giveUpAtMs || isWell(site);
    const backAtMs = overAtMs + BACK_WITHIN_MS;
    const verdict = judges
      .get(site)
      .judge(site.crowd.take(), { serves, mayLose, backAtMs, isBack });
    violations.push(...verdict.violations.map((text) => `${site.repository}, ${text}`));
    const seconds = (site.crowd.wellSinceMs(overAtMs) - overAtMs) / 1_000;
    const counts = COLUMNS.map((column) => verdict.counts[column]);
    return { repository: site.repository, cells: [...counts, seconds.toFixed(1)] };
  });
  return { rows, violations, note };
}
