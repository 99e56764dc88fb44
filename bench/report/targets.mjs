import { spreadOf } from './statistics.mjs';

/**
 * What the library promises of its speed.
 *
 * @typedef {object} Outcome
 * @property {string} label
 * @property {string} target
 * @property {import('./statistics.mjs').Spread | undefined} value - undefined = was not measured
 * @property {boolean | undefined} isMet - undefined = no target, for comparison
 */

const FASTIFY = {
  ours: 'fastify-ours-lean',
  floor: 'fastify-floor',
  bare: 'fastify-bare',
  script: 'fastify-floor-script',
};
const EXPRESS = {
  ours: 'express-ours-lean',
  floor: 'express-floor',
  bare: 'express-bare',
  script: 'express-floor-script',
};
const FASTIFY_PEER = 'fastify-fastify-session-true';
const EXPRESS_PEER = 'express-express-session';

const throughput = (run) => run.perSecond;

/** @returns {Outcome[]} */
export function judgeTimes(/** @type {import('./statistics.mjs').Results} */ results) {
  const of = (contestant, scenario) => results.cell(contestant, scenario);
  const ratio = (a, b, scenario, figure = throughput) =>
    results.ratio(of(a, scenario), of(b, scenario), figure);
  const least = (label, limit, value) => judge(label, limit, value, 1);
  const most = (label, limit, value) => judge(label, limit, value, -1);
  const known = (label, value) => ({ label, target: '', value, isMet: undefined });
  return [
    least(
      'reading, throughput vs the floor, Fastify',
      0.85,
      ratio(FASTIFY.ours, FASTIFY.floor, 'read'),
    ),
    least(
      'reading, throughput vs the floor, Express',
      0.95,
      ratio(EXPRESS.ours, EXPRESS.floor, 'read'),
    ),
    known(
      'reading, throughput vs the script alone, Fastify',
      ratio(FASTIFY.ours, FASTIFY.script, 'read'),
    ),
    known(
      'reading, throughput vs the script alone, Express',
      ratio(EXPRESS.ours, EXPRESS.script, 'read'),
    ),
    least('reading, throughput vs @fastify/session', 2, ratio(FASTIFY.ours, FASTIFY_PEER, 'read')),
    least(
      'reading, throughput vs express-session',
      1.15,
      ratio(EXPRESS.ours, EXPRESS_PEER, 'read'),
    ),
    most('reading, Node CPU on the session vs express-session', 0.5, sessionCpu(of)),
    least(
      'change 1 of 50 in 100 kB, throughput vs express-session',
      3,
      ratio(EXPRESS.ours, EXPRESS_PEER, 'change-100kB'),
    ),
    least(
      'no cookie, throughput vs bare Nest, Fastify',
      0.95,
      ratio(FASTIFY.ours, FASTIFY.bare, 'no-cookie'),
    ),
    least(
      'no cookie, throughput vs bare Nest, Express',
      0.98,
      ratio(EXPRESS.ours, EXPRESS.bare, 'no-cookie'),
    ),
    most(
      'reading, Redis CPU vs GET + EXPIRE',
      1.5,
      ratio(EXPRESS.ours, EXPRESS_PEER, 'read', (run) => run.redisCpuUs),
    ),
    most(
      'the same with a touch interval of 60 s',
      0.7,
      ratio('express-ours-touch60s', EXPRESS_PEER, 'read', (run) => run.redisCpuUs),
    ),
    most(
      'reading, p99 vs the floor, Fastify',
      1.25,
      ratio(FASTIFY.ours, FASTIFY.floor, 'read', (run) => run.p99Us),
    ),
    most(
      'reading, p99 vs the floor, Express',
      1.25,
      ratio(EXPRESS.ours, EXPRESS.floor, 'read', (run) => run.p99Us),
    ),
    least(
      'near cache, reading, throughput vs bare Nest, Fastify',
      0.85,
      ratio('fastify-ours-nearcache', FASTIFY.bare, 'read'),
    ),
    most('Node CPU with 1,000 attributes vs 10, one is read, Fastify', 2, growth(results)),
  ];
}

/** What a session costs: the CPU time of the request without that of the same request on bare Nest. */
function sessionCpu(of) {
  const [bare, ours, peer] = [EXPRESS.bare, EXPRESS.ours, EXPRESS_PEER].map((id) => of(id, 'read'));
  if (!bare || !ours || !peer) return undefined;
  const [bareUs, oursUs, peerUs] = [bare, ours, peer].map(({ runs }) =>
    runs.map((run) => run.serverCpuUs),
  );
  return spreadOf(
    oursUs.map((us, round) => (us - bareUs[round]) / (peerUs[round] - bareUs[round])),
  );
}

function growth(results) {
  return results.ratio(
    results.cell(FASTIFY.ours, 'read-1-of-1000'),
    results.cell(FASTIFY.ours, 'read-1-of-10'),
    (run) => run.serverCpuUs,
  );
}

function judge(label, limit, value, direction) {
  return {
    label,
    target: `${direction > 0 ? '≥' : '≤'} ${limit}`,
    value,
    isMet: value !== undefined && value.median * direction >= limit * direction,
  };
}
