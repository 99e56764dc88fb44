/** @typedef {import('./model-user.mjs').Outcome} Outcome */
/** @typedef {import('./stages/stage.mjs').MayLose} MayLose */

const BROKEN_PROMISES = ['lost login', 'lost update', 'doubled update', 'revived'];

/** What a row of the table tells of a fault. */
export const COLUMNS = ['ok', 'refused', 'broken', ...BROKEN_PROMISES, 'allowed losses'];

/** Tells which losses break a promise, and which ones the documentation allows. */
export class Judge {
  /** What failovers so far may have lost: a user may find out later. @type {MayLose[]} */
  #mayLose = [];

  /**
   * @param {readonly Outcome[]} outcomes
   * @param {{ refusesNobody?: boolean, mayLose?: MayLose, isBack: boolean }} fault
   * @returns {{ counts: Record<string, number>, violations: string[] }}
   */
  judge(outcomes, { refusesNobody, mayLose, isBack }) {
    if (mayLose) this.#mayLose.push(mayLose);
    const counts = Object.fromEntries(COLUMNS.map((column) => [column, 0]));
    for (const outcome of outcomes)
      counts[this.#isAllowed(outcome) ? 'allowed losses' : outcome.kind]++;
    const violations = BROKEN_PROMISES.filter((kind) => counts[kind] > 0).map(
      (kind) => `${counts[kind]} ${kind}`,
    );
    if (refusesNobody && counts.refused > 0) violations.push(`${counts.refused} refused`);
    if (refusesNobody && counts.broken > 0) violations.push(`${counts.broken} broken`);
    if (!isBack) violations.push('requests still fail');
    return { counts, violations };
  }

  #isAllowed(/** @type {Outcome} */ { kind, sinceMs }) {
    return this.#mayLose.some(
      ({ fromMs, toMs, keepsLogins }) =>
        (kind === 'lost update' || !keepsLogins) && sinceMs >= fromMs && sinceMs <= toMs,
    );
  }
}
