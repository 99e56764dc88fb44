import { describe, expect, it } from '@jest/globals';
import { Judge } from '../../tools/chaos/judge.mjs';
import { lossesOf, lossesOfEmptying } from '../../tools/chaos/stages/stage.mjs';

const SENT_AT_MS = 1_000;

function violationsOf(status: number): readonly string[] {
  const refusal = { kind: 'refused', action: 'look', sentAtMs: SENT_AT_MS, status } as const;
  return new Judge().judge([refusal], { backAtMs: SENT_AT_MS, isBack: true }).violations;
}

describe('the judge of npm run chaos', () => {
  it.each([502, 503, 504])('allows a fault to refuse a request with %d', (status) => {
    expect(violationsOf(status)).toEqual([]);
  });

  it.each([302, 400, 401, 403, 404, 409, 500])(
    'calls it a broken promise when a fault refuses a request with %d',
    (status) => {
      expect(violationsOf(status)).toEqual([
        `1 refused with another status than 502 to 504: look ${status}`,
      ]);
    },
  );

  it('allows no fault to count an update twice, whatever it may lose', () => {
    const doubled = { kind: 'doubled update', action: 'look', sentAtMs: SENT_AT_MS } as const;
    const fault = { backAtMs: SENT_AT_MS, isBack: true };
    const mayLose = { fromMs: 0, toMs: Infinity, kinds: [doubled.kind] };
    expect(new Judge().judge([doubled], { ...fault, mayLose }).violations).toEqual([
      '1 doubled update',
    ]);
  });

  it.each([
    ['a failover', lossesOf({ startedAtMs: 0, promotedAtMs: SENT_AT_MS }), []],
    [
      'a failover with durability',
      lossesOf({ startedAtMs: 0, promotedAtMs: SENT_AT_MS, keepsLogins: true }),
      ['1 lost login', '1 revived'],
    ],
    ['a Redis that was emptied', lossesOfEmptying(), ['1 revived']],
  ])('allows %s to lose what the documentation says', (_, mayLose, violations) => {
    const kinds = ['lost login', 'lost update', 'revived'] as const;
    const outcomes = kinds.map((kind) => ({
      ...{ kind, action: 'look' },
      ...{ sentAtMs: SENT_AT_MS, sinceMs: SENT_AT_MS / 2 },
    }));
    const fault = { mayLose, backAtMs: SENT_AT_MS, isBack: true };
    expect(new Judge().judge(outcomes, fault).violations).toEqual(violations);
  });
});
