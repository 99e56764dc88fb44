import { describe, expect, it } from '@jest/globals';
import { type Visitor } from '../../tools/demo/visitor.mjs';
import { eventually } from '../support/waiting/eventually.js';
import { sessionIdOf, userAt, useSpringApps } from './spring-stack.js';

type Side = 'nest' | 'spring';

const SIDES = ['spring', 'nest'] as const;
const BOTH_WAYS = [
  ['spring', 'nest'],
  ['nest', 'spring'],
] as const;
const ALL_WAYS = [...BOTH_WAYS, ['spring', 'spring'], ['nest', 'nest']] as const;

describe.each([4, 3] as const)(
  'sessions that Nest shares with Spring Session JDBC of Boot %d',
  (boot) => {
    const apps = useSpringApps({ boot, repository: 'indexed', store: 'postgres' });

    /** Begins a request on `side` that has read the session and has not saved it yet. */
    async function inFlight(visitor: Visitor, side: Side): Promise<{ finish(): Promise<number> }> {
      const answer = visitor.copyWithCookies().postJson(`/${side}/api/slow`, {});
      const waiting = async () => (await apps.visitor().getJson(`/${side}/api/waiting`)).text;
      await eventually(async () => (await waiting()) === '1');
      return {
        finish: async () => {
          await apps.visitor().postJson(`/${side}/api/go-on`, {});
          return (await answer).status;
        },
      };
    }

    async function expectUser(visitor: Visitor, name: string | null): Promise<void> {
      for (const side of SIDES)
        expect({ side, name: await userAt(visitor.copyWithCookies(), side) }).toEqual({
          side,
          name,
        });
    }

    async function countAt(side: Side, user: string): Promise<string> {
      return (await apps.visitor().getJson(`/${side}/api/sessions?user=${user}`)).text;
    }

    async function rowOf(visitor: Visitor): Promise<Record<string, unknown> | undefined> {
      const id = await sessionIdOf(visitor);
      const sql = 'SELECT * FROM spring_session WHERE session_id = $1';
      return (await apps.postgres.query<Record<string, unknown>>(sql, [id])).rows[0];
    }

    it.each(SIDES)('a user who logs in at %s is known on both sides', async (side) => {
      const alice = await apps.login(side);
      await expectUser(alice, 'alice');
      expect(await rowOf(alice)).toMatchObject({
        principal_name: 'alice',
        max_inactive_interval: 1800,
      });
      for (const each of SIDES) {
        const { text } = await alice.getJson(`/${each}/api/me`);
        const { authorities } = JSON.parse(text) as { authorities: string[] };
        expect(authorities.map((name) => name.replace('ROLE_', ''))).toEqual(
          expect.arrayContaining(['ADMIN', 'USER']),
        );
      }
    });

    it('attributes of both sides are in one session, and a removed one is gone on both', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/attributes', {});
      await visitor.postJson('/nest/api/attributes', { number: 7, list: ['c'] });
      await visitor.postJson('/nest/api/wishlist?item=book', {});
      const atNest = await visitor.getJson('/nest/api/attributes');
      expect(JSON.parse(atNest.text)).toMatchObject({
        text: { value: 'naïve 🍪' },
        long: { value: 6_000_000_000 },
        number: { value: 7 },
      });
      const atSpring = await visitor.getJson('/spring/api/attributes');
      expect(JSON.parse(atSpring.text)).toMatchObject({
        text: 'java.lang.String naïve 🍪',
        number: 'java.lang.Integer 7',
        list: 'java.util.ArrayList [c]',
        date: expect.stringContaining('java.util.Date'),
      });
      expect((await visitor.getJson('/spring/api/wishlist')).text).toBe('["book"]');
      expect(atSpring.text).not.toContain('"gone"');
    });

    it.each(BOTH_WAYS)('a login at %s keeps the cart that was filled at %s', async (one, other) => {
      const visitor = apps.visitor();
      await visitor.postJson(`/${other}/api/cart?item=book`, {});
      const stranger = visitor.copyWithCookies();
      const _csrf = (await visitor.getJson(`/${one}/api/csrf`)).text;
      await visitor.submit(`/${one}/login`, { username: 'bob', password: 'bob', _csrf });
      await expectUser(visitor, 'bob');
      for (const side of SIDES)
        expect((await visitor.getJson(`/${side}/api/cart`)).text).toBe('["book"]');
      await expectUser(stranger, null);
      expect(await rowOf(stranger)).toBeUndefined();
    });

    it.each(ALL_WAYS)(
      'a request at %s neither fails nor revives a session that ends by a logout at %s',
      async (slow, other) => {
        const alice = await apps.login(other);
        const copy = alice.copyWithCookies();
        const request = await inFlight(alice, slow);
        await apps.logOut(alice, other);
        expect(await request.finish()).toBe(200);
        await expectUser(copy, null);
        expect(await rowOf(copy)).toBeUndefined();
      },
    );

    it.each([...BOTH_WAYS, ['nest', 'nest'] as const])(
      'a request at %s neither fails nor brings the old id back after %s has changed it',
      async (slow, other) => {
        const alice = await apps.login('spring');
        const copy = alice.copyWithCookies();
        const request = await inFlight(alice, slow);
        await alice.postJson(`/${other}/api/session-id`, {});
        expect(await request.finish()).toBe(200);
        await expectUser(copy, null);
        await expectUser(alice, 'alice');
      },
    );

    it('a request of a visitor at Spring does not get the login that Nest has given to a new id meanwhile', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/cart?item=book', {});
      const stranger = visitor.copyWithCookies();
      const request = await inFlight(visitor, 'spring');
      const _csrf = (await visitor.getJson('/nest/api/csrf')).text;
      await visitor.submit('/nest/login', { username: 'bob', password: 'bob', _csrf });
      expect(await request.finish()).toBe(200);
      await expectUser(stranger, null);
      await expectUser(visitor, 'bob');
    });

    it('keeps what both sides write at the same time', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/cart?item=book', {});
      const request = await inFlight(visitor, 'spring');
      await visitor.postJson('/nest/api/attributes', { other: 'kept' });
      expect(await request.finish()).toBe(200);
      const { text } = await visitor.getJson('/nest/api/attributes');
      expect(JSON.parse(text)).toMatchObject({
        cart: { value: ['book'] },
        other: { value: 'kept' },
        slow: { value: 'done' },
      });
    });

    it('a session whose time is over is none on either side', async () => {
      const alice = await apps.login('nest');
      const id = await sessionIdOf(alice);
      await apps.postgres.query(
        `UPDATE spring_session SET last_access_time = last_access_time - 1800000, expiry_time = expiry_time - 1800000
        WHERE session_id = $1`,
        [id],
      );
      await expectUser(alice, null);
      await eventually(async () => (await rowOf(alice)) === undefined);
    });

    it('both sides find the sessions of a user, and Nest ends those at Spring', async () => {
      await apps.postgres.query('DELETE FROM spring_session');
      const atSpring = await apps.login('spring', 'bob');
      const atNest = await apps.login('nest', 'bob');
      for (const side of SIDES) expect(await countAt(side, 'bob')).toBe('2');
      await atNest.postJson('/nest/api/sign-out-others?user=bob', {});
      await expectUser(atSpring, null);
      await expectUser(atNest, 'bob');
      for (const side of SIDES) expect(await countAt(side, 'bob')).toBe('1');
    });

    it('Nest keeps a user of a class that it reads by its own function in the index of Spring', async () => {
      const kim = apps.visitor();
      await kim.postJson('/spring/api/login-as-account?email=kim@example.com', {});
      await kim.postJson('/nest/api/cart?item=book', {});
      await kim.postJson('/nest/api/session-id', {});
      expect(await rowOf(kim)).toMatchObject({ principal_name: 'kim@example.com' });
      expect((await kim.getJson('/spring/api/principal')).text).toBe(
        'Account kim@example.com of sales',
      );
    });
  },
);

describe.each([4, 3] as const)('a session limit beside Spring Session JDBC of Boot %d', (boot) => {
  const apps = useSpringApps({
    ...{ boot, repository: 'indexed', store: 'postgres', maximumSessions: 1 },
  });

  it.each(ALL_WAYS)('a login at %s ends the session that began at %s', async (one, other) => {
    await apps.postgres.query('DELETE FROM spring_session');
    const first = await apps.login(other);
    const second = await apps.login(one);
    // Nest comes first: Spring removes the session that it has marked when it tells the user.
    expect(await userAt(first.copyWithCookies(), 'nest')).toBeNull();
    expect(await userAt(second, 'nest')).toBe('alice');
    expect(await userAt(second, 'spring')).toBe('alice');
    expect((await first.getJson('/spring/api/me')).text).not.toContain('alice');
  });
});
