import { describe, expect, it } from '@jest/globals';
import { type Visitor } from '../../../tools/demo/visitor.mjs';
import { eventually } from '../../support/waiting/eventually.js';
import { sessionIdOf, sessionKeyOf, type SpringApps, userAt } from '../spring-stack.js';

const SIDES = ['spring', 'nest'] as const;

export function describeJavaSerialization(apps: SpringApps): void {
  const { boot, repository } = apps.options;
  describe('sessions that Spring writes by Java serialization', () => {
    async function me(visitor: Visitor): Promise<Record<string, unknown>> {
      return JSON.parse((await visitor.getJson('/nest/api/me')).text) as Record<string, unknown>;
    }

    async function fieldsOf(key: string): Promise<Record<string, string>> {
      const fields = Object.entries(await apps.redis.hgetallBuffer(key));
      return Object.fromEntries(fields.map(([name, bytes]) => [name, bytes.toString('hex')]));
    }

    async function logOutAtNest(visitor: Visitor): Promise<number> {
      // Spring makes the token: Nest cannot store one.
      await visitor.getJson('/spring/api/csrf');
      return (await apps.logOut(visitor, 'nest')).status;
    }

    it('Nest knows who has logged in at Spring', async () => {
      const startMs = Date.now() - 1;
      const alice = await apps.login('spring');
      const { authorities, authenticatedAt, ...rest } = await me(alice);
      expect(rest).toEqual({ name: 'alice', kind: 'full', principal: { username: 'alice' } });
      expect((authorities as string[]).sort()).toEqual(['ADMIN', 'USER']);
      if (boot === 4) expect(authenticatedAt).toBeGreaterThanOrEqual(startMs);
      else expect(authenticatedAt).toBe(0);
      expect((await alice.open('/nest/members')).text).toBe('hello alice');
      expect((await alice.open('/nest/admin')).status).toBe(200);
    });

    it('Nest knows a remembered user as one', async () => {
      const alice = apps.visitor();
      const token = (await alice.getJson('/spring/api/csrf')).text;
      const form = { username: 'alice', password: 'alice', _csrf: token, 'remember-me': 'on' };
      await alice.submit('/spring/login', form);
      await alice.forget('SESSION');
      await alice.open('/spring/members');
      expect(await me(alice)).toMatchObject({ name: 'alice', kind: 'remember-me' });
      expect((await alice.open('/nest/vault')).status).toBe(302);
    });

    it.each([
      [
        'login-as-account?email=kim@example.com',
        { username: 'kim@example.com', department: 'sales' },
      ],
      ['login-by-oauth2?login=kim', { username: 'kim', provider: 'github', id: 6_000_000_000 }],
      [
        'login-by-oidc?subject=kim',
        { username: 'kim', provider: 'keycloak', email: 'kim@example.com' },
      ],
    ])('Nest knows a user of another class, by %s', async (path, principal) => {
      const kim = apps.visitor();
      await kim.postJson(`/spring/api/${path}`, {});
      expect(await me(kim)).toMatchObject({ name: principal.username, principal });
    });

    it('Nest reads what Spring has written', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/attributes', {});
      expect(JSON.parse((await visitor.getJson('/nest/api/attributes')).text)).toEqual({
        text: { value: 'naïve 🍪' },
        integer: { value: 5 },
        long: { value: 6_000_000_000 },
        double: { value: 1.5 },
        boolean: { value: true },
        date: { value: '2014-07-03T04:00:00.000Z' },
        list: { value: ['a', 'b'] },
        map: { value: { key: [1, 2] } },
        tree: { className: 'java.util.TreeMap', value: { a: '1', b: '2' } },
        unmodifiable: { value: ['x'] },
        wishlist: { className: 'shop.Wishlist', value: { owner: 'nobody', items: [] } },
      });
    });

    it('a request at Nest keeps the session alive, and changes nothing else', async () => {
      const alice = await apps.login('spring');
      await alice.postJson('/spring/api/cart?item=book', {});
      const key = await sessionKeyOf(alice);
      const id = await sessionIdOf(alice);
      const before = await fieldsOf(key);
      const keys = [
        key,
        ...(repository === 'indexed' ? [`spring:session:sessions:expires:${id}`] : []),
      ];
      for (const each of keys) await apps.redis.expire(each, 100);
      await eventually(async () => {
        await alice.getJson('/nest/api/cart');
        return (await apps.redis.ttl(key)) > 1700;
      });
      for (const each of keys) expect(await apps.redis.ttl(each)).toBeGreaterThan(1700);
      const after = await fieldsOf(key);
      expect(after).toEqual({ ...before, lastAccessedTime: after['lastAccessedTime'] });
      expect(after['lastAccessedTime']).not.toBe(before['lastAccessedTime']);
      expect((await alice.getJson('/spring/api/cart')).text).toBe('["book"]');
      if (repository === 'default') return;
      const member = Buffer.from(`\xac\xed\0\x05t\0,expires:${id}`, 'latin1');
      const buckets = await apps.redis.keys('spring:session:expirations:*');
      const holding = await Promise.all(buckets.map((each) => apps.redis.sismember(each, member)));
      expect(holding.filter((each) => each === 1)).toHaveLength(1);
    });

    it.each([
      ['an attribute', 'cart?item=lamp'],
      ['an object in place', 'wishlist?item=lamp'],
      ['the id', 'session-id'],
    ])('Nest refuses to change %s, and Spring goes on', async (_what, path) => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/attributes', {});
      const key = await sessionKeyOf(visitor);
      const before = await fieldsOf(key);
      expect((await visitor.postJson(`/nest/api/${path}`, {})).status).toBe(500);
      const isTold = () =>
        apps.running.nest
          .output()
          .includes(
            'only reads the sessions of Spring, and ends them. Set springSession.storesLogins',
          );
      await eventually(() => Promise.resolve(isTold()));
      const after = await fieldsOf(key);
      expect(after).toEqual({ ...before, lastAccessedTime: after['lastAccessedTime'] });
      expect((await visitor.getJson('/spring/api/wishlist')).text).toBe('[]');
    });

    it('Nest stores no session of its own', async () => {
      const visitor = apps.visitor();
      expect((await visitor.open('/nest/members')).status).toBe(302);
      expect((await visitor.postJson('/nest/api/cart?item=book', {})).status).toBe(500);
      expect(await visitor.cookie()).not.toContain('SESSION');
    });

    it('a logout at Nest is one at Spring, and disturbs no request in flight', async () => {
      const alice = await apps.login('spring');
      const copy = alice.copyWithCookies();
      const slow = alice.copyWithCookies().postJson('/spring/api/slow', {});
      const waiting = async () => (await apps.visitor().getJson('/spring/api/waiting')).text;
      await eventually(async () => (await waiting()) === '1');
      expect(await logOutAtNest(alice)).toBe(303);
      const ttlMs = await apps.redis.pttl(await sessionKeyOf(copy));
      expect(ttlMs).toBeLessThanOrEqual(300_000);
      expect(ttlMs).toBeGreaterThan(0);
      await apps.visitor().postJson('/spring/api/go-on', {});
      expect((await slow).status).toBe(200);
      for (const side of [...SIDES, ...SIDES])
        expect(await userAt(copy.copyWithCookies(), side)).toBeNull();
    });

    it('a logout at Spring is one at Nest', async () => {
      const alice = await apps.login('spring');
      const copy = alice.copyWithCookies();
      await apps.logOut(alice, 'spring');
      for (const side of SIDES) expect(await userAt(copy.copyWithCookies(), side)).toBeNull();
    });

    it('an id that Spring has changed is the only one that Nest knows', async () => {
      const alice = await apps.login('spring');
      const copy = alice.copyWithCookies();
      await alice.postJson('/spring/api/session-id', {});
      expect(await userAt(alice, 'nest')).toBe('alice');
      expect(await userAt(copy, 'nest')).toBeNull();
    });
  });
}
