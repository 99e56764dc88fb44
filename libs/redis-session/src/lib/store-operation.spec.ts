import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { SessionStoreError } from '../session/session.errors.js';
import { withDeadline } from './store-operation.js';

describe('withDeadline', () => {
  it('settles as the command does', async () => {
    await expect(withDeadline('act', 1000, Promise.resolve(7))).resolves.toBe(7);
  });

  it('fails when the command takes longer', async () => {
    await expect(withDeadline('act', 5, new Promise(() => undefined))).rejects.toThrow(
      'Cannot act: the session store failed (no answer within 5 ms).',
    );
  });

  it.each<[string, unknown, string]>([
    ['with its reason', new Error('READONLY replica'), '(READONLY replica)'],
    [
      'with its code when there is no text',
      Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
      '(ECONNREFUSED)',
    ],
    [
      'without arguments that Redis quotes',
      new Error("ERR unknown command 'x', with args beginning with: 'secret'"),
      "(ERR unknown command 'x')",
    ],
    [
      'without the key of a session',
      new Error("ERR no server for 'nest:session:{3}:sessions:secret'"),
      "(ERR no server for 'nest:session:{3}:)",
    ],
    [
      'with the key of something else',
      new Error("NOGROUP No such key 'nest:session:{3}:events'"),
      "(NOGROUP No such key 'nest:session:{3}:events')",
    ],
    [
      'without the id that MongoDB has already',
      new Error('E11000 duplicate key error index: sessionId_1 dup key: { sessionId: "secret" }'),
      '(E11000 duplicate key error index: sessionId_1 )',
    ],
  ])('fails as the command does, %s', async (_title, reason, text) => {
    const command = Object.assign(reason as Error, {
      command: { name: 'evalsha', args: ['secret'] },
    });
    const error = await withDeadline('act', 1000, Promise.reject(command)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SessionStoreError);
    expect(String(error)).toContain(text);
    expect(inspect(error, { depth: 9 })).not.toContain('secret');
  });
});
