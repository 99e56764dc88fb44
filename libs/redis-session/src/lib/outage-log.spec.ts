import { beforeEach, expect, it } from '@jest/globals';
import { SessionStoreError } from '../session/session.errors.js';
import { OutageLog, QUIET_MS, type StoreOperation } from './outage-log.js';

let lines: string[];

let nowMs: number;

let log: OutageLog;

beforeEach(() => {
  lines = [];
  nowMs = 0;
  const warn = (line: string) => void lines.push(line);
  log = new OutageLog({ warn, error: warn }, () => nowMs);
});

async function fail(operation: StoreOperation, reason = 'no answer'): Promise<void> {
  const error = SessionStoreError.create(operation, new Error(reason));
  await expect(log.watch(operation, () => Promise.reject(error))).rejects.toBe(error);
}

const succeed = (operation: StoreOperation) => log.watch(operation, () => Promise.resolve());

it('adds one line when failures begin and one when they have ended, with their length and count', async () => {
  for (let i = 0; i < 100; i++) {
    await fail('read');
    nowMs += 20;
  }
  expect(lines).toEqual([
    'Cannot read: the session store failed (no answer). Check that the store is reachable and accepts writes. Requests that need it are answered with 503; one more line follows when this has ended.',
  ]);
  nowMs += QUIET_MS;
  await succeed('read');
  await succeed('read');
  expect(lines.slice(1)).toEqual([
    'The session store works again. Failures within 2.0 s: 100 (no answer).',
  ]);
});

it('adds no line when failures and successes alternate', async () => {
  for (let i = 0; i < 100; i++) {
    await fail('read');
    await succeed('read');
    nowMs += QUIET_MS - 1;
  }
  expect(lines).toHaveLength(1);
});

it('does not take a read for the end of failed saves', async () => {
  await fail('save', 'OOM command not allowed');
  nowMs += QUIET_MS;
  await succeed('read');
  expect(lines).toHaveLength(1);
  await succeed('save');
  expect(lines.at(-1)).toContain(': 1 (OOM).');
});

it('ends failures of several operations as soon as one of them works', async () => {
  await fail('read');
  await fail('find');
  nowMs += QUIET_MS;
  await succeed('read');
  expect(lines.at(-1)).toContain(': 2 (no answer).');
  await succeed('find');
  expect(lines).toHaveLength(2);
});

it('tells kinds of failures apart by their code', async () => {
  await fail('save', 'OOM command not allowed, on line 1');
  await fail('save', 'OOM command not allowed, on line 2');
  await fail('save', 'READONLY replica');
  expect(lines).toHaveLength(2);
});

it('adds few lines when each failure has another reason', async () => {
  for (let i = 0; i < 1000; i++) await fail('read', `reason ${i}`);
  expect(lines).toHaveLength(21);
});

it('does not count what is no failure of the store', async () => {
  await expect(log.watch('read', () => Promise.reject(new Error('bug')))).rejects.toThrow('bug');
  expect(lines).toEqual([]);
});
