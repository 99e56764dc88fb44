// node bench/parts.mjs [express|fastify]: what the parts of Nest and Node that a session library hangs on cost by themselves,
// each doing nothing: server CPU per request against bare Nest, in turn, the median of seven rounds.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedisServer } from '../tools/servers/redis-server.mjs';
import { measureScenario } from './measure/matrix.mjs';
import { RedisMeter } from './measure/redis-meter.mjs';
import { startServer } from './measure/server.mjs';
import { prepare } from './prepare.mjs';
import { Results, spreadOf } from './report/statistics.mjs';
import { SCENARIOS } from './scenarios.mjs';

const ROUNDS = 7;
const platform = process.argv[2] ?? 'fastify';
await prepare({ withLoad: true });
const { PART_NAMES } = await import('./server/parts.mjs');
const scenario = SCENARIOS.find(({ id }) => id === 'no-cookie');
const specs = [
  { id: 'bare', label: 'bare', kind: 'bare', platform, options: {} },
  ...PART_NAMES[platform].map((part) => ({
    id: part,
    label: part,
    kind: 'parts',
    platform,
    options: { part },
  })),
];

const redis = await startRedisServer();
const meter = new RedisMeter(redis.url);
const folder = await mkdtemp(join(tmpdir(), 'bench-'));
const entrants = [];
try {
  for (const spec of specs) entrants.push({ spec, servers: [await startServer(spec, redis.url)] });
  const setup = { meter, folder, rounds: ROUNDS, seconds: 1, allConnections: false };
  const results = new Results((await measureScenario(scenario, entrants, setup)).cells);
  const cpuUs = (run) => run.serverCpuUs;
  for (const { id } of specs) {
    const cell = results.cell(id, scenario.id);
    const { median, min } = spreadOf(cell.runs.map(cpuUs));
    const ratio = results.ratio(cell, results.cell('bare', scenario.id), cpuUs).median;
    console.log(
      `${id.padEnd(20)} ${median.toFixed(0)} µs (least ${min.toFixed(0)}), × bare ${ratio.toFixed(2)}`,
    );
  }
} finally {
  for (const { servers } of entrants) await servers[0].stop();
  await meter.close();
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}
