import { beforeEach, describe, expect, it } from './test-functions.js';
import { type MapSession } from '../../session/map-session.js';
import { type StoredSessionRepository } from '../../session/stored-session-repository.js';
import { RepositoryUnderTest, type SessionRepositoryFactory } from './repository-under-test.js';

const TIMES = Array.from({ length: 20 }, (_, i) => i);

/** What must hold when several requests, and several replicas, change one session at the same time. */
export function describeRaces(factory: SessionRepositoryFactory): void {
  let test: RepositoryUnderTest;
  let id: string;
  let replicas: readonly StoredSessionRepository[];

  beforeEach(async () => {
    test = new RepositoryUnderTest(factory);
    id = await test.store({ count: 0 });
    const other = new RepositoryUnderTest(factory).repository;
    // A factory may give each repository a store of its own.
    replicas = [test.repository, (await other.findById(id)) ? other : test.repository];
  });

  /** What twenty requests have read, on the replicas in turn. */
  function copies(): Promise<MapSession[]> {
    return Promise.all(
      TIMES.map(async (i) => {
        const copy = await replicas[i % 2]?.findById(id);
        if (!copy) throw new Error('The session is not there.');
        return copy;
      }),
    );
  }

  async function savedOf(sessions: readonly MapSession[]): Promise<MapSession[]> {
    const saves = await Promise.allSettled(sessions.map((session) => session.save()));
    return sessions.filter((_session, i) => saves[i]?.status === 'fulfilled');
  }

  describe('twenty requests at the same time', () => {
    it('keep what each of them sets, while accesses are recorded', async () => {
      const sessions = await copies();
      for (const [i, session] of sessions.entries()) session.setAttribute(`of ${i}`, i);
      const saves = savedOf(sessions);
      const accesses = replicas.map(async (replica) => {
        for (const i of TIMES) await replica.findById(id, { accessTimeMs: test.nowMs + i + 1 });
      });
      expect(await saves).toHaveLength(20);
      await Promise.all(accesses);
      const expected = Object.fromEntries(TIMES.map((i) => [`of ${i}`, i]));
      expect(await test.attributesOf(id)).toEqual({ count: 0, ...expected });
    });

    it('count exactly on several replicas', async () => {
      const sessions = await copies();
      for (const session of sessions)
        void session.update<number>('count', (count = 0) => count + 1);
      expect(await savedOf(sessions)).toHaveLength(20);
      expect(await test.attributesOf(id)).toEqual({ count: 20 });
    });

    it('bring nothing back of a session that is deleted meanwhile', async () => {
      const sessions = await copies();
      for (const [i, session] of sessions.entries()) session.setAttribute(`of ${i}`, i);
      const saves = savedOf(sessions);
      await test.repository.deleteById(id);
      await saves;
      expect(await test.exists(id)).toBe(false);
    });

    it('leave exactly one id when each takes a new one', async () => {
      const sessions = await copies();
      for (const session of sessions) session.changeSessionId();
      const [winner, ...others] = await savedOf(sessions);
      expect(others).toEqual([]);
      const ids = [id, ...sessions.map((session) => session.id)];
      const found = await Promise.all(ids.map((each) => test.exists(each)));
      expect(ids.filter((_id, i) => found[i])).toEqual([winner?.id]);
    });
  });
}
