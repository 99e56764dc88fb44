import { beforeEach, describe, expect, it } from './test-functions.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { RepositoryUnderTest, type SessionRepositoryFactory } from './repository-under-test.js';

/** When sessions end, and what counts as an access. */
export function describeExpiry(factory: SessionRepositoryFactory): void {
  let test: RepositoryUnderTest;

  beforeEach(() => {
    test = new RepositoryUnderTest(factory);
  });

  describe('maxInactiveIntervalSeconds', () => {
    it('ends the session at that very instant, not a millisecond before', async () => {
      const id = await test.store();
      test.nowMs += 1_800_000 - 1;
      expect(await test.exists(id)).toBe(true);
      test.nowMs += 1;
      expect(await test.exists(id)).toBe(false);
      test.nowMs -= 1;
      expect(await test.exists(id)).toBe(false);
    });

    it('of one session is stored with it', async () => {
      const id = await test.store();
      const session = await test.find(id);
      session.maxInactiveIntervalSeconds = 7200;
      await session.save();
      test.pass(7199);
      expect((await test.find(id)).maxInactiveIntervalSeconds).toBe(7200);
      test.pass(1);
      expect(await test.exists(id)).toBe(false);
    });

    it.each([-1, -1800])('%d means never', async (seconds) => {
      const id = await test.store();
      const session = await test.find(id);
      session.maxInactiveIntervalSeconds = seconds;
      await session.save();
      test.pass(1e9);
      expect((await test.find(id)).maxInactiveIntervalSeconds).toBe(seconds);
    });

    it('can go back from never to an end', async () => {
      const never = new RepositoryUnderTest(factory, { maxInactiveIntervalSeconds: -1 });
      const id = await never.store();
      const session = await never.find(id);
      session.maxInactiveIntervalSeconds = 60;
      await session.save();
      never.pass(60);
      expect(await never.exists(id)).toBe(false);
    });

    it.each([0, 1.5, NaN, Infinity, 2 ** 53])('refuses %d', (seconds) => {
      const session = test.repository.createSession();
      expect(() => {
        session.maxInactiveIntervalSeconds = seconds;
      }).toThrow(SessionOptionError);
      expect(session.maxInactiveIntervalSeconds).toBe(1800);
    });

    it('holds the largest number that is refused by nobody', async () => {
      const session = test.repository.createSession();
      session.maxInactiveIntervalSeconds = Number.MAX_SAFE_INTEGER;
      await session.save();
      const found = await test.repository.findById(session.id, { accessTimeMs: test.nowMs + 1 });
      expect(found?.maxInactiveIntervalSeconds).toBe(Number.MAX_SAFE_INTEGER);
    });
  });

  describe('absoluteTimeoutSeconds', () => {
    it('ends a session however active it is', async () => {
      const limited = new RepositoryUnderTest(factory, { absoluteTimeoutSeconds: 3600 });
      const id = await limited.store();
      const session = await limited.find(id);
      session.maxInactiveIntervalSeconds = -1;
      await session.save();
      limited.pass(3599);
      const accessed = await limited.repository.findById(id, { accessTimeMs: limited.nowMs });
      accessed?.setAttribute('first', 'changed');
      await accessed?.save();
      expect(await limited.exists(id)).toBe(true);
      limited.pass(1);
      expect(await limited.exists(id)).toBe(false);
    });

    it('is not moved by a new id', async () => {
      const limited = new RepositoryUnderTest(factory, { absoluteTimeoutSeconds: 100 });
      const session = await limited.find(await limited.store());
      limited.pass(99);
      session.changeSessionId();
      await session.save();
      limited.pass(1);
      expect(await limited.exists(session.id)).toBe(false);
    });
  });

  describe('an access', () => {
    it('is recorded with the read', async () => {
      const id = await test.store();
      test.pass(1700);
      const session = await test.repository.findById(id, { accessTimeMs: test.nowMs });
      expect(session?.lastAccessedTime).toEqual(new Date(test.nowMs));
      expect(session?.hasChanges).toBe(false);
      test.pass(1799);
      expect(await test.exists(id)).toBe(true);
    });

    it('is not recorded when the read does not ask for it', async () => {
      const id = await test.store();
      test.pass(1799);
      await test.find(id);
      test.pass(1);
      expect(await test.exists(id)).toBe(false);
    });

    it('never lies before one that is already recorded', async () => {
      const id = await test.store();
      const session = await test.repository.findById(id, { accessTimeMs: test.nowMs - 5000 });
      expect(session?.lastAccessedTime).toEqual(new Date(test.nowMs));
      session?.touch(test.nowMs - 1);
      expect(session?.hasChanges).toBe(false);
    });

    it('does not revive a session that has expired', async () => {
      const id = await test.store();
      test.pass(1800);
      expect(await test.repository.findById(id, { accessTimeMs: test.nowMs })).toBeUndefined();
      expect(await test.exists(id)).toBe(false);
    });
  });

  describe('touchIntervalSeconds', () => {
    it('records every access with 0', async () => {
      const exact = new RepositoryUnderTest(factory, { touchIntervalSeconds: 0 });
      const id = await exact.store();
      for (const accessTimeMs of [exact.nowMs + 1, exact.nowMs + 2]) {
        await exact.repository.findById(id, { accessTimeMs });
        expect((await exact.find(id)).lastAccessedTime).toEqual(new Date(accessTimeMs));
      }
    });

    it('records by default each access that follows the last record a second later', async () => {
      const id = await test.store();
      for (const accessTimeMs of [test.nowMs + 1000, test.nowMs + 2000]) {
        await test.repository.findById(id, { accessTimeMs });
        expect((await test.find(id)).lastAccessedTime).toEqual(new Date(accessTimeMs));
      }
    });

    it('leaves out an access that follows too soon', async () => {
      const lazy = new RepositoryUnderTest(factory, { touchIntervalSeconds: 60 });
      const id = await lazy.store();
      const storedMs = lazy.nowMs;
      lazy.nowMs += 59_999;
      await lazy.repository.findById(id, { accessTimeMs: lazy.nowMs });
      expect((await lazy.find(id)).lastAccessedTime).toEqual(new Date(storedMs));
      lazy.nowMs += 1;
      await lazy.repository.findById(id, { accessTimeMs: lazy.nowMs });
      expect((await lazy.find(id)).lastAccessedTime).toEqual(new Date(lazy.nowMs));
    });

    describe('between two records', () => {
      let lazy: RepositoryUnderTest;
      let id: string;
      const access = () => lazy.repository.findById(id, { accessTimeMs: lazy.nowMs });

      beforeEach(async () => {
        lazy = new RepositoryUnderTest(factory, {
          absoluteTimeoutSeconds: 50,
          touchIntervalSeconds: 60,
        });
        id = await lazy.store();
        await access();
      });

      it('reads what another request has changed', async () => {
        const other = await lazy.find(id);
        other.setAttribute('first', 'changed');
        await other.save();
        expect((await access())?.getAttribute('first')).toBe('changed');
      });

      it('finds no session that another request has deleted', async () => {
        await lazy.repository.deleteById(id);
        expect(await access()).toBeUndefined();
      });

      it('finds no session whose idle time is over', async () => {
        const session = await lazy.find(id);
        session.maxInactiveIntervalSeconds = 30;
        await session.save();
        lazy.pass(29);
        expect((await access())?.id).toBe(id);
        lazy.pass(1);
        expect(await access()).toBeUndefined();
        expect(await lazy.exists(id)).toBe(false);
      });

      it('finds no session whose absolute lifetime is over', async () => {
        lazy.pass(49);
        expect((await access())?.id).toBe(id);
        lazy.pass(1);
        expect(await access()).toBeUndefined();
        expect(await lazy.exists(id)).toBe(false);
      });
    });
  });
}
