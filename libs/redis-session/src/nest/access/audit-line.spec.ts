import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type SecurityEvent, toAuditLine } from './security-events.service.js';

const timeMs = Date.UTC(2026, 0, 1);

describe(toAuditLine, () => {
  it.each<[SecurityEvent, string]>([
    [
      {
        type: 'authentication-success',
        timeMs,
        sessionRef: '5df6e0e2',
        name: 'kim',
        kind: 'full',
        strategy: 'local',
      },
      'authentication-success name="kim" kind="full" strategy="local" sessionRef="5df6e0e2"',
    ],
    [
      { type: 'authentication-failure', timeMs, reason: 'bad-credentials', strategy: undefined },
      'authentication-failure reason="bad-credentials"',
    ],
    [{ type: 'logout', timeMs, name: 'kim' }, 'logout name="kim"'],
    [
      { type: 'session-id-changed', timeMs, previousSessionRef: 'a0', sessionRef: 'b1' },
      'session-id-changed previousSessionRef="a0" sessionRef="b1"',
    ],
    [
      { type: 'access-denied', timeMs, name: 'kim', target: 'AdminController.page' },
      'access-denied name="kim" target="AdminController.page"',
    ],
  ])('writes %j', (event, line) => {
    expect(toAuditLine(event)).toBe(`2026-01-01T00:00:00.000Z ${line}`);
  });

  it('leaves out what no event has', () => {
    const event = { type: 'logout', timeMs, name: 'kim', password: 'secret' } as SecurityEvent;
    expect(toAuditLine(event)).not.toContain('secret');
  });

  it('stays one line and one value, whatever the user is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const line = toAuditLine({ type: 'logout', timeMs, name });
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        expect(JSON.parse(line.slice(line.indexOf('name=') + 5))).toBe(name);
      }),
    );
  });
});
