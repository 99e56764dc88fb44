import { beforeEach, describe, expect, it } from './test-functions.js';
import { generateSessionId } from '../../session/session-id.js';
import { SessionInvalidatedError, SessionOptionError } from '../../session/session.errors.js';
import {
  contextOf,
  IndexedRepositoryUnderTest,
  type IndexedRepositoryFactory,
  signIn,
} from './indexed-repository-under-test.js';

/** How sessions are found by their user and by other values, and ended by somebody else. */
export function describeFinding(factory: IndexedRepositoryFactory): void {
  let test: IndexedRepositoryUnderTest;
  let alice: string;
  let bob: string;

  beforeEach(() => {
    test = new IndexedRepositoryUnderTest(factory);
    alice = `alice-${generateSessionId()}`;
    bob = `bob-${generateSessionId()}`;
  });

  describe('findByPrincipalName', () => {
    it('finds all sessions of a user with their attributes, and those of nobody else', async () => {
      const [first, second] = [await test.open(alice), await test.open(alice)];
      await test.open(bob);
      await test.open();
      expect(await test.idsOf(alice)).toEqual([first.id, second.id].sort());
      const { sessions } = await test.repository.findByPrincipalName(alice);
      expect(sessions.map((session) => session.getAttribute('a'))).toEqual([1, 1]);
      expect(sessions.map(({ isNew }) => isNew)).toEqual([false, false]);
      expect(await test.idsOf('nobody')).toEqual([]);
    });

    it('counts as no access', async () => {
      const { id, lastAccessedTime } = await test.open(alice);
      test.pass(60);
      await test.idsOf(alice);
      expect((await test.find(id)).lastAccessedTime).toEqual(lastAccessedTime);
    });

    it.each(['a:b::c:', ' a b ', 'Zoë 🦊', '}{a}{}', "'; --", 'x'.repeat(1024)])(
      'finds a user whose name has %j',
      async (part) => {
        const name = alice + part;
        const { id } = await test.open(name);
        expect(await test.idsOf(name)).toEqual([id]);
        expect(await test.idsOf(alice)).toEqual([]);
      },
    );

    it('gives pages, those that live longest first, and says how many there are', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) {
        ids.push((await test.open(alice)).id);
        test.pass(1);
      }
      const pages = [];
      for (const offset of [0, 2, 4, 6])
        pages.push(await test.repository.findByPrincipalName(alice, { offset, limit: 2 }));
      const found = pages.map(({ sessions }) => sessions.map(({ id }) => ids.indexOf(id)));
      expect(found).toEqual([[4, 3], [2, 1], [0], []]);
      expect(pages.map(({ total }) => total)).toEqual([5, 5, 5, 5]);
    });

    it.each([{ limit: 0 }, { limit: 2.5 }, { offset: -1 }])('refuses the page %j', async (page) => {
      const found = test.repository.findByPrincipalName(alice, page);
      await expect(found).rejects.toThrow(SessionOptionError);
    });

    it('counts no session that has ended, on a page that holds none of these', async () => {
      const [first, second] = [await test.open(alice), await test.open(alice)];
      const third = await test.open(alice);
      await first.invalidate();
      await test.repository.endById(second.id, 'signed-out');
      const { sessions, total } = await test.repository.findByPrincipalName(alice, { limit: 1 });
      expect([sessions.map(({ id }) => id), total]).toEqual([[third.id], 1]);
    });

    it('leaves out a session that has expired', async () => {
      const short = await test.open(alice);
      short.maxInactiveIntervalSeconds = 10;
      await short.save();
      const long = await test.open(alice);
      test.pass(11);
      expect(await test.idsOf(alice)).toEqual([long.id]);
    });
  });

  describe('findByIndex', () => {
    it('finds sessions by a value of the application, and follows its changes', async () => {
      const tenant = generateSessionId();
      const idsIn = async (value: string) => {
        const { sessions } = await test.repository.findByIndex('tenant', value);
        return sessions.map(({ id }) => id);
      };
      const session = await test.open(alice, { tenant });
      await test.open(bob, { tenant: 'other' });
      expect(await idsIn(tenant)).toEqual([session.id]);
      session.setAttribute('tenant', `${tenant}-2`);
      await session.save();
      expect([await idsIn(tenant), await idsIn(`${tenant}-2`)]).toEqual([[], [session.id]]);
      session.removeAttribute('tenant');
      await session.save();
      expect(await idsIn(`${tenant}-2`)).toEqual([]);
    });

    it('finds a session by a value of the application after a login and a new id, too', async () => {
      const tenant = generateSessionId();
      const session = await test.open(undefined, { tenant });
      signIn(session, alice);
      await session.save();
      const copy = await test.find(session.id);
      copy.changeSessionId();
      await copy.save();
      const { sessions, total } = await test.repository.findByIndex('tenant', tenant);
      expect([sessions.map(({ id }) => id), total]).toEqual([[copy.id], 1]);
    });
  });

  describe('the index of the user', () => {
    it('follows the id', async () => {
      const session = await test.open(alice);
      session.changeSessionId();
      await session.save();
      expect(await test.idsOf(alice)).toEqual([session.id]);
    });

    it('follows the user, with and without a new id, and lets an anonymous one go', async () => {
      const session = await test.open(alice);
      session.setAttribute('SECURITY_CONTEXT', contextOf(bob));
      await session.save();
      expect([await test.idsOf(alice), await test.idsOf(bob)]).toEqual([[], [session.id]]);
      signIn(session, alice);
      await session.save();
      expect([await test.idsOf(alice), await test.idsOf(bob)]).toEqual([[session.id], []]);
      session.removeAttribute('SECURITY_CONTEXT');
      await session.save();
      expect(await test.idsOf(alice)).toEqual([]);
    });

    it('loses the session at logout', async () => {
      const session = await test.open(alice);
      await session.invalidate();
      expect(await test.idsOf(alice)).toEqual([]);
    });

    it('keeps the user that was saved last when two requests change it', async () => {
      const { id } = await test.open(alice);
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      copy1.setAttribute('SECURITY_CONTEXT', contextOf(bob));
      copy2.setAttribute('SECURITY_CONTEXT', contextOf(`${bob}-2`));
      await copy1.save();
      await copy2.save();
      expect([await test.idsOf(alice), await test.idsOf(bob)]).toEqual([[], []]);
      expect(await test.idsOf(`${bob}-2`)).toEqual([id]);
    });

    it('moves the user that another request wrote to the new id', async () => {
      const { id } = await test.open(alice);
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      copy1.setAttribute('SECURITY_CONTEXT', contextOf(bob));
      await copy1.save();
      copy2.changeSessionId();
      await copy2.save();
      expect([await test.idsOf(alice), await test.idsOf(bob)]).toEqual([[], [copy2.id]]);
    });

    it('holds nothing of a login whose session was deleted before', async () => {
      const { id } = await test.open();
      const login = await test.find(id);
      signIn(login, alice);
      await test.repository.deleteById(id);
      await expect(login.save()).rejects.toThrow(SessionInvalidatedError);
      expect(await test.idsOf(alice)).toEqual([]);
    });
  });

  describe('ending sessions of others', () => {
    it('ends all sessions of the user but one, and tells each client why, once', async () => {
      const own = await test.open(alice);
      const others = [await test.open(alice), await test.open(alice)];
      const ofBob = await test.open(bob);
      expect(await test.repository.endByPrincipalName(alice, 'signed-out', own.id)).toBe(2);
      expect(await test.idsOf(alice)).toEqual([own.id]);
      expect(await test.idsOf(bob)).toEqual([ofBob.id]);
      for (const { id } of others) {
        expect(await test.repository.findById(id)).toBeUndefined();
        expect(await test.repository.takeEndReason(id)).toBe('signed-out');
        expect(await test.repository.takeEndReason(id)).toBeUndefined();
      }
      expect(await test.repository.takeEndReason(own.id)).toBeUndefined();
    });

    it('knows the user of a session; an anonymous one has no others', async () => {
      const [own, other] = [await test.open(alice), await test.open(alice)];
      const reason = 'password-changed';
      expect(await test.repository.endOthersOf(await test.find(own.id), reason)).toBe(1);
      expect(await test.repository.findById(other.id)).toBeUndefined();
      expect(await test.repository.endOthersOf(await test.open(), reason)).toBe(0);
      expect(await test.idsOf(alice)).toEqual([own.id]);
    });

    it('wins over a request that still has the session', async () => {
      const { id } = await test.open(alice);
      const copy = await test.find(id);
      await test.repository.endById(id, 'signed-out');
      copy.setAttribute('a', 2);
      await expect(copy.save()).rejects.toThrow(SessionInvalidatedError);
      expect(await test.idsOf(alice)).toEqual([]);
    });

    it.each(["' OR 1=1; --", 'a\u0000b', ''])(
      'ends none for the id %j, also when its reason is asked for',
      async (id) => {
        const { id: other } = await test.open(alice);
        await test.repository.endById(id, 'signed-out');
        await test.repository.takeEndReason(id);
        expect(await test.idsOf(alice)).toEqual([other]);
      },
    );

    it('tells no reason after the own logout', async () => {
      const { id } = await test.open(alice);
      await test.repository.deleteById(id);
      expect(await test.repository.takeEndReason(id)).toBeUndefined();
    });
  });
}
