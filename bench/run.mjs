import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startPostgresServer } from '../tools/servers/postgres-server.mjs';
import { startRedisServer } from '../tools/servers/redis-server.mjs';
import { POSTGRES_KINDS } from './contestants.mjs';
import { countOperations } from './measure/counts.mjs';
import { startField } from './measure/field.mjs';
import { measureScenario } from './measure/matrix.mjs';
import { RedisMeter } from './measure/redis-meter.mjs';
import { describeRun } from './report/facts.mjs';
import { drawCharts } from './report/charts.mjs';
import { writeGoals } from './report/goals.mjs';
import { countTable, toMarkdown } from './report/markdown.mjs';
import { violatedCountRules } from './report/count-rules.mjs';
import { Results } from './report/statistics.mjs';

const RESULTS = fileURLToPath(new URL('results/', import.meta.url));

/**
 * Runs the benchmark.
 *
 * @param {object} plan
 * @param {readonly import('./contestants.mjs').ContestantSpec[]} plan.contestants
 * @param {readonly import('./scenarios.mjs').Scenario[]} plan.scenarios
 * @param {boolean} plan.isAssert - only commands and bytes
 * @param {boolean} plan.isQuick
 * @param {string} plan.resultsFolder - below results/
 * @param {number} plan.rounds
 * @param {number} plan.seconds - of one run
 * @param {string} plan.folder - for files of this run
 * @returns {Promise<number>} the exit code: 1 when commands or bytes are more than promised
 */
export async function runBench(plan) {
  const redis = await startRedisServer();
  const meter = new RedisMeter(redis.url);
  let field;
  let postgres;
  try {
    const replicas = plan.isAssert
      ? 1
      : Math.max(...plan.scenarios.map((scenario) => scenario.replicas ?? 1));
    const specs = plan.contestants.filter(({ kind }) => !plan.isAssert || kind === 'ours');
    postgres = specs.some(needsPostgres) ? await startPostgresServer() : undefined;
    const setups = specs.map((spec) => ({ ...spec, postgresUrl: postgres?.url }));
    field = await startField(setups, { redisUrl: redis.url, replicas });
    const counts = await countAll(field.entrants, meter);
    if (!plan.isAssert) await measureAndReport(plan, field, { meter, counts, redis });
    else console.log(countTable({ counts, contestants: specs }));
    const wrong = violatedCountRules(counts);
    for (const sentence of wrong) console.error(`WRONG: ${sentence}`);
    return wrong.length > 0 ? 1 : 0;
  } finally {
    await field?.stop();
    await postgres?.stop();
    await meter.close();
    await redis.stop();
  }
}

function needsPostgres({ kind }) {
  return POSTGRES_KINDS.includes(kind);
}

async function countAll(entrants, meter) {
  const counts = {};
  for (const { spec, servers } of entrants) {
    counts[spec.id] = await countOperations(servers[0], meter, spec.kind);
  }
  return counts;
}

async function measureAndReport(plan, { entrants, absent }, { meter, counts }) {
  const cells = [];
  for (const scenario of plan.scenarios) {
    console.log(`${new Date().toISOString()} ${scenario.label}`);
    const taking = entrants.filter(({ spec }) => takesPart(spec, scenario));
    const setup = { ...plan, meter, isWarmedUp: !plan.isQuick };
    const measured = await measureScenario(scenario, taking, setup);
    cells.push(...measured.cells);
    absent.push(...measured.failures);
  }
  const results = new Results(cells);
  const facts = await describeRun(plan, meter.redis);
  const contestants = entrants.map(({ spec }) => spec);
  const report = { facts, absent, contestants, scenarios: plan.scenarios, counts, results };
  await writeReport(report, RESULTS + plan.resultsFolder);
  console.log(`\n${toMarkdown(report)}`);
}

function takesPart({ id, kind }, { contestants, kinds }) {
  if (contestants && !contestants.includes(id)) return false;
  return kinds ? kinds.includes(kind) : kind !== 'bare' && kind !== 'floor';
}

async function writeReport(report, folder) {
  await mkdir(folder, { recursive: true });
  const { results, ...rest } = report;
  const files = {
    'results.md': toMarkdown(report),
    'results.json': `${JSON.stringify({ ...rest, finishedAt: new Date().toISOString(), cells: results.cells }, null, 1)}\n`,
    ...drawCharts(report),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(folder + name, text);
  console.log(`Written: ${Object.keys(files).join(', ')} in ${folder}`);
  await writeGoals();
}
