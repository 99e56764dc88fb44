// node bench/profile.mjs <contestant> <scenario>, such as fastify-ours read: loads one contestant under --cpu-prof and prints
// where its CPU time goes, by file and by function (self time). The profile stays in bench/results/profiles for DevTools.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRedisServer } from '../tools/servers/redis-server.mjs';
import { CONTESTANTS } from './contestants.mjs';
import { measureScenario } from './measure/matrix.mjs';
import { RedisMeter } from './measure/redis-meter.mjs';
import { startServer } from './measure/server.mjs';
import { hottest } from './report/cpu-profile.mjs';
import { SCENARIOS } from './scenarios.mjs';

const PROFILES = fileURLToPath(new URL('results/profiles/', import.meta.url));
const [contestantId, scenarioId = 'read'] = process.argv.slice(2);
const spec = CONTESTANTS.find(({ id }) => id === contestantId);
const scenario = SCENARIOS.find(({ id }) => id === scenarioId);
if (!spec || !scenario) {
  throw new Error(
    `Name a contestant (${CONTESTANTS.map(({ id }) => id).join(', ')}) and a scenario.`,
  );
}

const redis = await startRedisServer();
const meter = new RedisMeter(redis.url);
const folder = await mkdtemp(join(tmpdir(), 'bench-'));
const profiles = join(PROFILES, `${contestantId}-${scenarioId}`);
await rm(profiles, { recursive: true, force: true });
try {
  const server = await startServer(spec, redis.url, ['--cpu-prof', `--cpu-prof-dir=${profiles}`]);
  const setup = { meter, folder, rounds: 3, seconds: 2, allConnections: false };
  const { cells } = await measureScenario(scenario, [{ spec, servers: [server] }], setup);
  await server.stop();
  for (const run of cells[0].runs)
    console.log(`${run.serverCpuUs.toFixed(0)} µs of CPU per request`);
  const [file] = await readdir(profiles);
  const profile = JSON.parse(await readFile(join(profiles, file), 'utf8'));
  for (const by of ['file', 'function']) console.log(`\n${hottest(profile, by)}`);
} finally {
  await meter.close();
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}
