/**
 * A Redis of some kind, and what can be done to it.
 *
 * @typedef {object} Stage
 * @property {Record<string, string>} variables - tell the demo where Redis is
 * @property {Record<string, Fault>} faults - by the name in the table
 * @property {readonly string[]} [repositories] - that have these faults; both unless it tells
 * @property {number} [idleSeconds] - of a session; 1,800 unless users are to see sessions end
 * @property {() => Promise<void>} stop
 *
 * @typedef {object} Fault
 * @property {(sites: readonly import('../site.mjs').Site[]) => Promise<Aftermath | void>} inflict - puts back what it has changed
 * @property {readonly string[]} [serves] - what users do that must be answered as usual all the time
 *
 * What follows from a fault; all times in ms of `performance.now()`.
 *
 * @typedef {object} Aftermath
 * @property {number} [overAtMs] - from when on all must be as usual; without, the end of `inflict`
 * @property {MayLose} [mayLose]
 * @property {readonly string[]} [violations] - broken promises that users do not see
 * @property {string} [note] - what was counted beside the answers to users
 *
 * What a fault may lose, by the documentation: what was acknowledged between two moments.
 *
 * @typedef {object} MayLose
 * @property {number} fromMs
 * @property {number} toMs
 * @property {readonly string[]} kinds - the kinds of outcomes that are no broken promise then
 */

/** How long a fault lasts. */
export const FAULT_MS = 3_000;

/** Ms that a replica of Redis may be behind its master, on one machine. */
const LAG_MS = 1_000;

/** Ms after a promotion in which the old master may still be asked. */
const WINDOW_MS = 1_500;

/**
 * @param {{ startedAtMs: number, promotedAtMs: number, keepsLogins?: boolean }} failover
 * @returns {MayLose} what the documentation says that this failover may lose
 */
export function lossesOf({ startedAtMs, promotedAtMs, keepsLogins = false }) {
  const kinds = keepsLogins ? ['lost update'] : ['lost update', 'lost login', 'revived'];
  return { fromMs: startedAtMs - LAG_MS, toMs: promotedAtMs + WINDOW_MS, kinds };
}

/** @returns {MayLose} what Redis may lose that has been emptied just now: all but logouts. Some answers are still on their way */
export function lossesOfEmptying() {
  const kinds = ['lost update', 'lost login'];
  return { fromMs: -Infinity, toMs: performance.now() + LAG_MS, kinds };
}
