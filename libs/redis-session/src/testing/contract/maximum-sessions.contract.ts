import { beforeEach, describe, expect, it } from './test-functions.js';
import { type MapSession } from '../../session/map-session.js';
import { generateSessionId } from '../../session/session-id.js';
import { SessionInvalidatedError, SessionLimitError } from '../../session/session.errors.js';
import { principalNameOf } from '../../session/session-store.js';
import {
  contextOf,
  IndexedRepositoryUnderTest,
  type IndexedRepositoryFactory,
  signIn,
} from './indexed-repository-under-test.js';

/** How many sessions a user may have. */
export function describeMaximumSessions(factory: IndexedRepositoryFactory): void {
  let alice: string;
  const replica = (
    maximumSessions: number,
    maximumSessionsPolicy: 'expire-oldest' | 'reject-login',
  ) => new IndexedRepositoryUnderTest(factory, { maximumSessions, maximumSessionsPolicy });

  beforeEach(() => {
    alice = `alice-${generateSessionId()}`;
  });

  /** Starts 50 logins at the same time, each from an anonymous session, on two replicas in turn. */
  async function logInAtOnce(
    limit: number,
    policy: 'expire-oldest' | 'reject-login',
  ): Promise<{ errors: unknown[]; left: number }> {
    const replicas = [replica(limit, policy), replica(limit, policy)] as const;
    const sessions: MapSession[] = [];
    for (let i = 0; i < 50; i++) sessions.push(await replicas[i % 2 ? 1 : 0].open());
    for (const session of sessions) signIn(session, alice);
    const results = await Promise.allSettled(sessions.map((session) => session.save()));
    const left = await replicas[0].idsOf(alice);
    const errors = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    return { errors, left: left.length };
  }

  describe('maximumSessions', () => {
    it('may depend on the user', async () => {
      const test = new IndexedRepositoryUnderTest(factory, {
        maximumSessions: (session) => (principalNameOf(session)?.startsWith('admin') ? 1 : -1),
      });
      const admin = `admin-${alice}`;
      for (const name of [admin, admin, alice, alice]) await test.open(name);
      expect(await test.idsOf(admin)).toHaveLength(1);
      expect(await test.idsOf(alice)).toHaveLength(2);
    });

    it('does not count what is no login', async () => {
      const test = replica(1, 'reject-login');
      const session = await test.open(alice);
      session.changeSessionId();
      await session.save();
      session.setAttribute('SECURITY_CONTEXT', contextOf(alice));
      session.setAttribute('a', 2);
      await session.save();
      signIn(session, alice);
      await session.save();
      expect(await test.idsOf(alice)).toEqual([session.id]);
    });
  });

  describe("'expire-oldest'", () => {
    it('ends the session that was used longest ago, and its client is told why', async () => {
      const test = replica(2, 'expire-oldest');
      const [used, forgotten] = [await test.open(alice), await test.open(alice)];
      test.pass(10);
      await test.repository.findById(used.id, { accessTimeMs: test.nowMs });
      const newest = await test.open(alice);
      expect(await test.idsOf(alice)).toEqual([used.id, newest.id].sort());
      expect(await test.repository.findById(forgotten.id)).toBeUndefined();
      expect(await test.repository.takeEndReason(forgotten.id)).toBe('maximum-sessions');
    });

    it.each([1, 3])('leaves exactly %i of 50 logins at the same time', async (limit) => {
      const { errors, left } = await logInAtOnce(limit, 'expire-oldest');
      expect(left).toBe(limit);
      expect(errors.filter((error) => !(error instanceof SessionInvalidatedError))).toEqual([]);
    });
  });

  describe("'reject-login'", () => {
    it('refuses one more, writes nothing of it, and admits it after a logout', async () => {
      const test = replica(1, 'reject-login');
      const first = await test.open(alice);
      const visitor = await test.open();
      const visitorId = visitor.id;
      signIn(visitor, alice);
      await expect(visitor.save()).rejects.toThrow(SessionLimitError);
      expect((await test.find(visitorId)).getAttribute('SECURITY_CONTEXT')).toBeUndefined();
      expect(await test.idsOf(alice)).toEqual([first.id]);
      await first.invalidate();
      await visitor.save();
      expect(await test.idsOf(alice)).toEqual([visitor.id]);
    });

    it('does not count a session that has expired', async () => {
      const test = replica(1, 'reject-login');
      await test.open(alice);
      test.pass(1800);
      const next = await test.open(alice);
      expect(await test.idsOf(alice)).toEqual([next.id]);
    });

    it('admits exactly one of 50 logins at the same time', async () => {
      const { errors, left } = await logInAtOnce(1, 'reject-login');
      expect(left).toBe(1);
      expect(errors.filter((error) => error instanceof SessionLimitError)).toHaveLength(49);
    });
  });
}
