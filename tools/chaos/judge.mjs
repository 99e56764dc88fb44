/** @typedef {import('./model-user.mjs').Outcome} Outcome */
/** @typedef {import('./stages/stage.mjs').MayLose} MayLose */

const BROKEN_PROMISES = ['lost login', 'lost update', 'doubled update', 'revived'];

/** The store does not answer, or nginx reaches no replica: the only refusals that the documentation allows. */
const REFUSALS = [502, 503, 504];

/** What a row of the table tells of a fault. */
export const COLUMNS = ['ok', 'refused', 'broken', ...BROKEN_PROMISES, 'allowed losses'];

/** Tells which losses break a promise, and which ones the documentation allows. */
export class Judge {
  /** What faults so far may have lost: a user may find out later. @type {MayLose[]} */
  #mayLose = [];

  /**
   * @param {readonly Outcome[]} outcomes
   * @param {{ serves?: readonly string[], mayLose?: MayLose, backAtMs: number, isBack: boolean }} fault - `serves` are the actions
   *   that must be answered as usual all the time; all others must be from `backAtMs` on
   * @returns {{ counts: Record<string, number>, violations: string[] }}
   */
  judge(outcomes, { serves = [], mayLose, backAtMs, isBack }) {
    if (mayLose) this.#mayLose.push(mayLose);
    const counts = Object.fromEntries(COLUMNS.map((column) => [column, 0]));
    for (const outcome of outcomes)
      counts[this.#isAllowed(outcome) ? 'allowed losses' : outcome.kind]++;
    const failed = outcomes.filter(({ kind }) => kind === 'refused' || kind === 'broken');
    const unserved = failed.filter(({ action }) => serves.includes(action));
    const late = failed.filter(({ sentAtMs }) => sentAtMs > backAtMs);
    const unpromised = failed.filter(({ status }) => status && !REFUSALS.includes(status));
    const violations = [
      ...BROKEN_PROMISES.map((kind) => [counts[kind], kind]),
      [unserved.length, `refused or broken that must be served: ${actionsOf(unserved)}`],
      [unpromised.length, `refused with another status than 502 to 504: ${actionsOf(unpromised)}`],
      [late.length, `refused or broken after all had to work again: ${actionsOf(late)}`],
    ].flatMap(([count, what]) => (Number(count) > 0 ? [`${count} ${what}`] : []));
    return { counts, violations: isBack ? violations : [...violations, 'requests still fail'] };
  }

  #isAllowed(/** @type {Outcome} */ { kind, sinceMs }) {
    return this.#mayLose.some(
      ({ fromMs, toMs, kinds }) => kinds.includes(kind) && sinceMs >= fromMs && sinceMs <= toMs,
    );
  }
}

function actionsOf(/** @type {readonly Outcome[]} */ outcomes) {
  return [...new Set(outcomes.map(({ action, status }) => `${action} ${status ?? 'broken'}`))].join(
    ', ',
  );
}
