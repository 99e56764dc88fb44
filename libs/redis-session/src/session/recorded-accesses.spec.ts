import { describe, expect, it } from '@jest/globals';
import { RecordedAccesses } from './recorded-accesses.js';

const RECORDED_MS = 1_000_000;

function accessesOf(
  intervalSeconds: number | undefined,
  maxInactiveInterval = 1800,
): RecordedAccesses {
  const accesses = new RecordedAccesses(intervalSeconds);
  accesses.remember('id', { creationTime: 0, lastAccessedTime: RECORDED_MS, maxInactiveInterval });
  return accesses;
}

describe('RecordedAccesses', () => {
  it.each([
    ['a second with the usual idle time of 30 minutes', undefined, 1800, 1000],
    ['a second when the session never ends', undefined, -1, 1000],
    ['1 % of a short idle time', undefined, 10, 100],
    ['the interval of the option', 60, 1800, 60_000],
  ])('needs no other record for %s', (_when, intervalSeconds, maxInactiveInterval, durationMs) => {
    const accesses = accessesOf(intervalSeconds, maxInactiveInterval);
    expect(accesses.isRecorded('id', RECORDED_MS + durationMs - 1)).toBe(true);
    expect(accesses.isRecorded('id', RECORDED_MS + durationMs)).toBe(false);
  });

  it('records every access with interval 0', () => {
    expect(accessesOf(0).isRecorded('id', RECORDED_MS)).toBe(false);
    expect(accessesOf(0).isRecorded('id', RECORDED_MS - 1)).toBe(false);
  });

  it.each([
    ['within the default interval', undefined, 999],
    ['only at the very access with an interval of 60 seconds', 60, 0],
    ['only at the very access with interval 0', 0, 0],
  ])('lets a save leave the access unrecorded %s', (_when, intervalSeconds, lastMs) => {
    const accesses = accessesOf(intervalSeconds);
    expect(accesses.isSaved('id', RECORDED_MS + lastMs)).toBe(true);
    expect(accesses.isSaved('id', RECORDED_MS + lastMs + 1)).toBe(false);
    expect(accesses.isSaved('other', RECORDED_MS)).toBe(false);
  });

  it('records the access to a session that this process has not seen', () => {
    expect(accessesOf(undefined).isRecorded('other', RECORDED_MS)).toBe(false);
  });
});
