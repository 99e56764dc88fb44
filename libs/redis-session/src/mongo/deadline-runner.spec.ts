import { expect, it } from '@jest/globals';
import { isUnanswered } from '../lib/store-operation.js';
import { DeadlineRunner } from './deadline-runner.js';

it.each([
  ['is over when the server gives up on a command', 50, 'MaxTimeMSExpired', true],
  ['is not over when the server refuses a command', 112, 'WriteConflict', false],
] as const)('the deadline of an operation %s', async (_, code, codeName, isOver) => {
  const error = Object.assign(new Error('secret'), { name: 'MongoServerError', code, codeName });
  const run = new DeadlineRunner(1000).run('save the session', () => Promise.reject(error));
  const failure = await run.catch((reason: unknown) => reason);
  expect(isUnanswered(failure)).toBe(isOver);
  expect(String(failure)).toContain(`MongoDB answers ${codeName} (${code})`);
  expect(String(failure)).not.toContain('secret');
});

it('a session that is too large is named in a sentence', async () => {
  const error = Object.assign(new Error('secret'), { code: 10_334 });
  const run = new DeadlineRunner(1000).run('save the session', () => Promise.reject(error));
  await expect(run).rejects.toThrow(
    'Cannot save the session: the session as a whole is larger than the 16 MB of a document of MongoDB. Store less.',
  );
});
