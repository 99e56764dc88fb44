import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { load } from './load.mjs';
import { seedSessions } from './visitor.mjs';

const SESSIONS = 100;
const DEFAULT_CONNECTIONS = [32];
/** A JVM that has answered nothing yet may answer nothing in the first second of load either. */
const WARM_UPS = 5;
/** For requests that were under way when the load ended: paused, they would fail by their deadlines. */
const DRAIN_MS = 100;

/**
 * The figures of one run; times and bytes are per request.
 *
 * @typedef {object} Run
 * @property {number} perSecond
 * @property {number} p50Us
 * @property {number} p99Us
 * @property {number} serverCpuUs - of all replicas together
 * @property {number} redisCpuUs
 * @property {number} redisCommandUs
 * @property {number} bytesIn
 * @property {number} bytesOut
 */

/**
 * All runs of one contestant in one scenario, by round.
 *
 * @typedef {object} Cell
 * @property {string} contestant - id
 * @property {string} scenario - id
 * @property {number} connections
 * @property {number | undefined} commands - that clients sent to Redis, per request; counted in the round that is thrown away
 * @property {Run[]} runs
 */

/**
 * Measures every contestant in a scenario: one after the other, and again from the first, round by round, so that
 * whatever else the machine does meets all of them. Whose turn it is not is paused.
 *
 * @param {import('../scenarios.mjs').Scenario} scenario
 * @param {readonly import('./field.mjs').Entrant[]} entrants
 * @param {{ meter: import('./redis-meter.mjs').RedisMeter, folder: string, rounds: number, seconds: number, isWarmedUp: boolean }} setup -
 *   `isWarmedUp`: a second of load, which does not count, goes before each run
 * @returns {Promise<{ cells: Cell[], failures: string[] }>}
 */
export async function measureScenario(scenario, entrants, setup) {
  const { rounds } = setup;
  const failures = [];
  const sessions = new Map();
  for (const entrant of entrants) {
    sessions.set(entrant, await cookieFile(scenario, entrant, setup.folder));
  }
  const cells = (scenario.connections ?? DEFAULT_CONNECTIONS).flatMap((connections) =>
    entrants.map((entrant) => ({
      ...{ scenario, entrant, connections, runs: [] },
      ...{ commands: undefined, cookies: sessions.get(entrant) },
    })),
  );
  for (const { servers } of entrants) servers.forEach((server) => server.pause());
  for (const cell of cells) {
    for (let i = 0; i < WARM_UPS && cell.commands === undefined; i += 1)
      cell.commands = await inTurn(cell, () => countCommands(cell, setup)).catch(() => undefined);
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const cell of cells) {
      const run = inTurn(cell, () => measureRun(cell, setup));
      cell.runs.push(await run.catch((error) => refused(cell, error, failures)));
    }
  }
  for (const { servers } of entrants) servers.forEach((server) => server.resume());
  const measured = cells.filter(({ runs }) => runs.every((run) => run !== undefined));
  return {
    failures,
    cells: measured.map(({ entrant, connections, commands, runs }) => ({
      contestant: entrant.spec.id,
      scenario: scenario.id,
      ...{ connections, commands, runs },
    })),
  };
}

/** A cell with a run that failed is left out; the others count. */
function refused({ entrant, scenario }, error, failures) {
  const sentence = `${entrant.spec.label}, ${scenario.label}, is left out: ${error.message}`;
  if (!failures.includes(sentence)) failures.push(sentence);
  console.error(sentence);
  return undefined;
}

/** Lets nobody else's background work, garbage collection and caches disturb `action`. */
async function inTurn(cell, action) {
  const servers = serversOf(cell);
  servers.forEach((server) => server.resume());
  try {
    return await action();
  } finally {
    await delay(DRAIN_MS);
    servers.forEach((server) => server.pause());
  }
}

async function countCommands(cell, { meter }) {
  let requests = 0;
  const commands = await meter.commandsDuring(async () => {
    ({ requests } = await loadCell(cell, 1));
  });
  return commands.length / requests;
}

async function measureRun(cell, { isWarmedUp, meter, seconds }) {
  const servers = serversOf(cell);
  const cpuUs = async () => {
    const times = await Promise.all(servers.map((server) => server.cpuUs()));
    return times.reduce((a, b) => a + b, 0);
  };
  // Whoever has waited for all others has cold caches.
  if (isWarmedUp) await loadCell(cell, 1);
  const before = await cpuUs();
  const { result, use } = await meter.during(() => loadCell(cell, seconds));
  const serverCpuUs = (await cpuUs()) - before;
  const { requests, ...seen } = result;
  return {
    ...seen,
    serverCpuUs: serverCpuUs / requests,
    redisCpuUs: use.cpuUs / requests,
    redisCommandUs: use.commandUs / requests,
    bytesIn: use.bytesIn / requests,
    bytesOut: use.bytesOut / requests,
  };
}

function serversOf({ scenario, entrant }) {
  return entrant.servers.slice(0, scenario.replicas ?? 1);
}

function loadCell(cell, seconds) {
  const { scenario, connections, cookies } = cell;
  return load({
    origins: serversOf(cell).map(({ origin }) => origin),
    ...{ connections, seconds, script: scenario.script ?? 'cookies.lua' },
    env: {
      METHOD: scenario.method,
      REQUEST_PATH: scenario.path,
      ...(cookies && { COOKIES: cookies }),
    },
  });
}

/** @returns {Promise<string | undefined>} path of a file with the cookies of new sessions, one a line */
async function cookieFile({ id, seed }, { spec, servers }, folder) {
  if (!seed || spec.kind === 'bare' || spec.kind === 'floor') return undefined;
  const file = join(folder, `${spec.id}-${id}`);
  const cookies = await seedSessions(servers[0].origin, seed, SESSIONS);
  await writeFile(file, cookies.join('\n'));
  return file;
}
