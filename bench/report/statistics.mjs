/** @returns {number} the middle one; NaN of none */
export function median(/** @type {readonly number[]} */ values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * A figure of one cell, or a ratio of two.
 *
 * @typedef {{ median: number, min: number, max: number }} Spread
 */

/** @returns {Spread} of a figure over the runs of a cell */
export function spreadOf(/** @type {readonly number[]} */ values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** All cells of a run of the benchmark. */
export class Results {
  constructor(/** @type {readonly import('../measure/matrix.mjs').Cell[]} */ cells) {
    this.cells = cells;
  }

  /** @returns {import('../measure/matrix.mjs').Cell | undefined} */
  cell(contestant, scenario, connections = 32) {
    return this.cells.find(
      (cell) =>
        cell.contestant === contestant &&
        cell.scenario === scenario &&
        cell.connections === connections,
    );
  }

  /**
   * Compares two cells round by round, so that what disturbed a round disturbs both sides.
   *
   * @param {import('../measure/matrix.mjs').Cell | undefined} a
   * @param {import('../measure/matrix.mjs').Cell | undefined} b
   * @param {(run: import('../measure/matrix.mjs').Run) => number} figure
   * @returns {Spread | undefined} of a / b; undefined when one of them did not take part
   */
  ratio(a, b, figure) {
    if (!a || !b) return undefined;
    return spreadOf(a.runs.map((run, round) => figure(run) / figure(b.runs[round])));
  }
}
