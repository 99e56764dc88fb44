import { describe, expect, it } from '@jest/globals';
import { MapSessionRepository } from '../map-session-repository.js';
import { SessionLimitError, SessionStoreError, refused } from '../session.errors.js';
import { UnansweredSessions } from './unanswered-sessions.js';

const lost = SessionStoreError.create('save the session', new Error('no answer'));

describe('UnansweredSessions', () => {
  /** @returns the ids that are ended after a save which fails with `error` */
  async function endedAfter(error: Error): Promise<readonly string[]> {
    const ended: string[] = [];
    const sessions = new UnansweredSessions({
      commandTimeoutMs: 1,
      end: (id) => Promise.resolve(void ended.push(id)),
      isOver: () => false,
    });
    const session = new MapSessionRepository().createSession();
    await expect(sessions.watch(session, () => Promise.reject(error))).rejects.toBe(error);
    // What ends later comes in order.
    const last = new MapSessionRepository().createSession();
    await expect(sessions.watch(last, () => Promise.reject(lost))).rejects.toBe(lost);
    while (!ended.includes(last.id)) await new Promise((resolve) => setImmediate(resolve));
    return ended.map((id) => (id === session.id ? 'its session' : 'the last one'));
  }

  it.each([
    ['whose reply was lost', lost],
    ['that Redis has refused: it may have run before', refused(SessionStoreError.create('x', 0))],
  ])('ends the session of a save %s', async (_, error) => {
    expect(await endedAfter(error)).toEqual(['its session', 'the last one']);
  });

  it('leaves alone the session of a login beyond the limit', async () => {
    expect(await endedAfter(SessionLimitError.create())).toEqual(['the last one']);
  });
});
