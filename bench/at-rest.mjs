// What hashIds and encryption cost a request that reads the session of a user, in CPU time of the process, without Redis:
// `npm run build && node bench/at-rest.mjs`
import { randomBytes } from 'node:crypto';
import { DEFAULT_REPOSITORY_OPTIONS } from '../libs/redis-session/build/session/repository-options.js';
import { MapSessionRepository } from '../libs/redis-session/build/session/map-session-repository.js';

const READS = 20_000;
const ROUNDS = 15;

const encryption = { keys: [randomBytes(32).toString('base64')] };
const VARIANTS = {
  plain: {},
  hashIds: { hashIds: true },
  encryption: { encryption },
  both: { hashIds: true, encryption },
};

const user = { id: 7, username: 'kim', roles: ['USER'], displayName: 'Kim Example', locale: 'en' };
const authentication = { name: 'kim', principal: user, authorities: ['USER'], kind: 'full' };

async function prepare(options) {
  const repository = new MapSessionRepository({ ...DEFAULT_REPOSITORY_OPTIONS, ...options });
  const session = repository.createSession();
  session.setAttribute('SECURITY_CONTEXT', { authentication, loginTime: Date.now() });
  session.setAttribute('cart', [{ sku: 1, count: 2 }]);
  await session.save();
  return async () => {
    for (let i = 0; i < READS; i++) {
      const read = await repository.findById(session.id, { accessTimeMs: Date.now() });
      if (!read?.peekAttribute('SECURITY_CONTEXT')) throw new Error('The session was not read.');
    }
  };
}

/** Microseconds of one read: the quickest of all rounds, because everything else on the machine only adds to them. */
const best = Object.fromEntries(Object.keys(VARIANTS).map((name) => [name, Infinity]));
const runs = await Promise.all(
  Object.entries(VARIANTS).map(async ([name, options]) => [name, await prepare(options)]),
);
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of runs) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    best[name] = Math.min(best[name], (user + system) / READS);
  }
}
console.log(`Node ${process.version}, µs of CPU for one read with the user's attribute decoded:`);
for (const [name, micros] of Object.entries(best)) {
  console.log(`${name.padEnd(12)}${micros.toFixed(2)}  (+${(micros - best.plain).toFixed(2)})`);
}
