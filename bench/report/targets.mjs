import { spreadOf } from './statistics.mjs';

/**
 * A goal, what was measured before, and what this run has measured.
 *
 * @typedef {object} Outcome
 * @property {string} label
 * @property {string} before - on 2026-11-28, or '' where nothing was
 * @property {string} target - '' = none, for comparison
 * @property {import('./statistics.mjs').Spread | undefined} value - undefined = was not measured
 * @property {boolean | undefined} isMet
 */

const PEERS = { fastify: 'fastify-fastify-session-true', express: 'express-express-session' };

const throughput = (run) => run.perSecond;
const redisCpu = (run) => run.redisCpuUs;
const serverCpu = (run) => run.serverCpuUs;

/** @returns {Outcome[]} */
export function judgeTimes(/** @type {import('./statistics.mjs').Results} */ results) {
  const compare = (scenario, figure) => (ours, other) =>
    results.ratio(results.cell(ours, scenario), results.cell(other, scenario), figure);
  const [logins, reads, anonymous] = ['login-logout', 'read', 'no-cookie'].map((id) =>
    compare(id, throughput),
  );
  const [loginCost, readCost, changeCost] = ['login-logout', 'read', 'change'].map((id) =>
    compare(id, redisCpu),
  );
  const lean = (platform) => `${platform}-ours-lean`;
  const least = (label, before, limit, value) => judge({ label, before, limit, value }, 1);
  const most = (label, before, limit, value) => judge({ label, before, limit, value }, -1);
  return [
    ...platforms(['0.54', 1], ['0.75', 1], (platform, before, limit) =>
      least(
        `login and logout in turn vs the peer, ${nameOf(platform)}: requests/s`,
        ...[before, limit, logins(lean(platform), PEERS[platform])],
      ),
    ),
    most(
      'reading vs GET + EXPIRE of the peer: Redis CPU',
      ...['2.70', 1.5, readCost(lean('fastify'), PEERS.fastify)],
    ),
    most(
      'changing 1 attribute vs GET + SET of the peer: Redis CPU',
      ...['3.9', 2, changeCost(lean('fastify'), PEERS.fastify)],
    ),
    most(
      'login and logout in turn vs the peer: Redis CPU',
      ...['3.1', 2, loginCost(lean('fastify'), PEERS.fastify)],
    ),
    most(
      'the same, indexed: Redis CPU',
      ...['6.6', 4, loginCost('fastify-ours-indexed', PEERS.fastify)],
    ),
    ...platforms(['0.75', 0.85], ['0.82', 0.92], (platform, before, limit) =>
      least(
        `reading vs the floor, lean, ${nameOf(platform)}: requests/s`,
        ...[before, limit, reads(lean(platform), `${platform}-floor`)],
      ),
    ),
    least(
      'the same, Express, vs a floor with the same prototypes: requests/s',
      ...['', 0.92, reads(lean('express'), 'express-floor-prototypes')],
    ),
    ...platforms(['', 0.7], ['', 0.88], (platform, before, limit) =>
      least(
        `the same with all defaults, ${nameOf(platform)} (the goal is for Node 24): requests/s`,
        ...[before, limit, reads(`${platform}-ours`, `${platform}-floor-interceptor`)],
      ),
    ),
    ...platforms(['0.78', 0.9], ['0.86', 0.95], (platform, before, limit) =>
      least(
        `no cookie vs bare Nest, ${nameOf(platform)}: requests/s`,
        ...[before, limit, anonymous(lean(platform), `${platform}-bare`)],
      ),
    ),
    least(
      'near cache, reading vs bare Nest, Fastify: requests/s',
      ...['0.55', 0.75, reads('fastify-ours-nearcache', 'fastify-bare')],
    ),
    most(
      'reading, Express: CPU time of the library, µs (request − floor with the same prototypes)',
      ...['24', 12, ownCpu(results)],
    ),
    most(
      'reading 1 of 1,000 attributes vs 1 of 10, Fastify: Node CPU',
      ...['', 2, growth(results)],
    ),
    least(
      'changing 1 of 50 attributes of 100 kB vs express-session: requests/s',
      ...['20.8', 3, compare('change-100kB', throughput)(lean('express'), PEERS.express)],
    ),
  ];
}

function nameOf(platform) {
  return platform === 'fastify' ? 'Fastify' : 'Express';
}

/** The same goal on both platforms: what was measured before, and the limit. */
function platforms(fastify, express, toOutcome) {
  return [toOutcome('fastify', ...fastify), toOutcome('express', ...express)];
}

/** What a request costs the server beyond the floor, round by round. */
function ownCpu(results) {
  const [ours, floor] = ['express-ours-lean', 'express-floor-prototypes'].map((id) =>
    results.cell(id, 'read'),
  );
  if (!ours || !floor) return undefined;
  return spreadOf(ours.runs.map((run, round) => serverCpu(run) - serverCpu(floor.runs[round])));
}

function growth(results) {
  const [many, few] = ['read-1-of-1000', 'read-1-of-10'].map((scenario) =>
    results.cell('fastify-ours-lean', scenario),
  );
  return results.ratio(many, few, serverCpu);
}

function judge({ label, before, limit, value }, direction) {
  return {
    ...{ label, before, value, target: `${direction > 0 ? '≥' : '≤'} ${limit}` },
    isMet: value !== undefined && value.median * direction >= limit * direction,
  };
}
