import { seedSessions, Visitor } from './visitor.mjs';

const REPEATS = 5;

/**
 * What one request sends to Redis: of five requests the middle one, the same in every run.
 *
 * @typedef {object} Counts
 * @property {number} commands - per request
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
  const sent = [];
  for (const visitor of await visitorsReady()) {
    sent.push(await meter.commandsDuring(() => act(visitor)));
  }
  const uses = [];
  for (const visitor of await visitorsReady())
    uses.push((await meter.during(() => act(visitor))).use);
  const commands = middleOf(sent, ({ length }) => length);
  return {
    commands: commands.length,
    names: commands.map(({ name }) => name).join(' '),
    bytesIn: commands.reduce((sum, { bytes }) => sum + bytes, 0),
    // The meter's own answers differ by a few bytes in length, which must not make a negative figure of none.
    bytesOut: Math.max(0, Math.round(middleOf(uses, ({ bytesOut }) => bytesOut).bytesOut)),
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

/** Expirations and events of the indexed contestants are looked after in between: what most requests cost counts. */
function middleOf(requests, figure) {
  return requests.toSorted((a, b) => figure(a) - figure(b))[Math.floor(requests.length / 2)];
}
