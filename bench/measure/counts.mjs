import { seedSessions, Visitor } from './visitor.mjs';

const REPEATS = 10;

/**
 * What one request sends to Redis: exact, the same in every run.
 *
 * @typedef {object} Counts
 * @property {number} commands - per request, on average
 * @property {string} names - of the commands of one request
 * @property {number} bytesIn - to Redis, per request
 * @property {number} bytesOut
 */

/** @type {Record<string, (origin: string) => Promise<Step>>} */
const OPERATIONS = {
  'no cookie': async () => ({ act: (visitor) => visitor.send('GET', '/hello') }),
  read: (origin) => withSession(origin, { count: 0, bytes: 0 }, 'GET', '/me'),
  'change 1 kB': (origin) => change(origin, 1),
  'change 10 kB': (origin) => change(origin, 10),
  'change 100 kB': (origin) => change(origin, 100),
  login: async () => ({
    before: async (visitor) => visitor.send('POST', '/visit'),
    act: (visitor) => visitor.send('POST', '/login'),
  }),
  logout: async () => ({
    before: (visitor) => visitor.send('POST', '/login'),
    act: (visitor) => visitor.send('POST', '/logout'),
  }),
};

/**
 * @typedef {object} Step
 * @property {(visitor: Visitor) => Promise<void>} [before] - not counted
 * @property {(visitor: Visitor) => Promise<void>} act
 */

/**
 * Counts what each operation of a contestant costs in Redis.
 *
 * @param {import('./server.mjs').Server} server
 * @param {import('./redis-meter.mjs').RedisMeter} meter
 * @param {string} kind
 * @returns {Promise<Record<string, Counts>>} by operation
 */
export async function countOperations(server, meter, kind) {
  const counts = {};
  for (const [name, prepare] of Object.entries(OPERATIONS)) {
    const hasSessions = kind !== 'bare' && kind !== 'floor';
    if (hasSessions || name === 'no cookie') counts[name] = await count(server, meter, prepare);
  }
  return counts;
}

async function count({ origin }, meter, prepare) {
  const { before, act } = await prepare(origin);
  const visitorsReady = async () => {
    const visitors = Array.from({ length: REPEATS }, () => new Visitor(origin));
    for (const visitor of visitors) await before?.(visitor);
    return visitors;
  };
  // The first requests load scripts and open connections.
  for (const visitor of await visitorsReady()) await act(visitor);
  const all = async (visitors) => {
    for (const visitor of visitors) await act(visitor);
  };
  const recorded = await visitorsReady();
  const sent = await meter.commandsDuring(() => all(recorded));
  // Signs of life of a connection belong to no request.
  const commands = sent.filter(([name]) => name.toLowerCase() !== 'ping');
  const measured = await visitorsReady();
  const { use } = await meter.during(() => all(measured));
  const perRequest = commands.length / REPEATS;
  return {
    commands: perRequest,
    names: commands
      .slice(0, Math.round(perRequest))
      .map(([name]) => name.toUpperCase())
      .join(' '),
    bytesIn: perOne(use.bytesIn),
    bytesOut: perOne(use.bytesOut),
  };
}

async function withSession(origin, seed, method, path) {
  const [cookie] = await seedSessions(origin, seed, 1);
  return {
    act: async (visitor) => {
      visitor.cookie = cookie;
      await visitor.send(method, path);
    },
  };
}

function change(origin, kB) {
  const bytes = (kB * 1000) / 50;
  return withSession(origin, { count: 50, bytes }, 'POST', `/change?bytes=${bytes}`);
}

/** The meter's own answers differ by a few bytes in length, which must not make a negative figure of none. */
function perOne(bytes) {
  return Math.max(0, Math.round(bytes / REPEATS));
}
