import { describe, expect, it } from '@jest/globals';
import { type Visitor } from '../../../tools/demo/visitor.mjs';
import { sessionKeyOf, type SpringApps, userAt } from '../spring-stack.js';

type Side = 'nest' | 'spring';

const SIDES = ['spring', 'nest'] as const;
const BOTH_WAYS = [
  ['spring', 'nest'],
  ['nest', 'spring'],
] as const;
const CONTEXT = 'sessionAttr:SPRING_SECURITY_CONTEXT';

export function describeHops(apps: SpringApps): void {
  describe('a visitor who hops between both sides', () => {
    async function tokenAt(visitor: Visitor, side: Side): Promise<string> {
      return (await visitor.getJson(`/${side}/api/csrf`)).text;
    }

    async function logIn(visitor: Visitor, side: Side, more = {}): Promise<string> {
      const form = { username: 'alice', password: 'alice', _csrf: await tokenAt(visitor, side) };
      const { location } = await visitor.submit(`/${side}/login`, { ...form, ...more });
      return (location ?? '').replace(apps.running.url, '').replace(/[?&]continue$/, '');
    }

    async function kindAt(visitor: Visitor, side: Side): Promise<unknown> {
      const { text } = await visitor.getJson(`/${side}/api/me`);
      return (JSON.parse(text) as { kind: unknown }).kind;
    }

    it.each(BOTH_WAYS)('%s refuses a page, and a login at %s leads there', async (one, other) => {
      const visitor = apps.visitor();
      const page = `/${one}/members?tab=2&q=a%20b%2B%C3%A9`;
      expect((await visitor.open(page)).location).toMatch(/\/login/);
      expect(await logIn(visitor, other)).toBe(page);
      // Spring leads there with a parameter by which the page is forgotten.
      const opened = await visitor.open(other === 'spring' ? `${page}&continue` : page);
      expect(opened.text).toBe('hello alice');
      expect(await logIn(visitor, other)).toBe(`/${other}/home`);
    });

    it('Nest keeps a saved page when the visitor opens another one, or comes without the parameter of Spring', async () => {
      const visitor = apps.visitor();
      const page = '/nest/members?tab=2';
      await visitor.open(page);
      await visitor.open(page);
      await visitor.open('/nest/home?tab=2&continue');
      await visitor.open('/nest/home?continue');
      expect(await logIn(visitor, 'spring')).toBe(page);
    });

    it.each(BOTH_WAYS)('a login at %s keeps the cart that was filled at %s', async (one, other) => {
      const visitor = apps.visitor();
      await visitor.postJson(`/${other}/api/cart?item=book`, {});
      const before = await visitor.cookie();
      await logIn(visitor, one);
      expect(await visitor.cookie()).not.toBe(before);
      for (const side of SIDES)
        expect((await visitor.getJson(`/${side}/api/cart`)).text).toBe('["book"]');
    });

    it.each(SIDES)(
      'both sides fill one cart in turn, over new ids, until a logout at %s',
      async (last) => {
        const visitor = await apps.login('spring');
        const cookies = new Set<string>();
        for (const [i, side] of [...SIDES, ...SIDES].entries()) {
          await visitor.postJson(`/${side}/api/cart?item=${i}`, {});
          await visitor.postJson(`/${side}/api/session-id`, {});
          cookies.add(await visitor.cookie());
        }
        expect(cookies.size).toBe(4);
        for (const side of SIDES)
          expect((await visitor.getJson(`/${side}/api/cart`)).text).toBe('["0","1","2","3"]');
        const copy = visitor.copyWithCookies();
        await apps.logOut(visitor, last);
        for (const side of SIDES) {
          expect(await userAt(copy, side)).toBeNull();
          expect((await copy.getJson(`/${side}/api/cart`)).text).toBe('[]');
        }
      },
    );

    it.each(BOTH_WAYS)('a form with a token of %s may be sent to %s', async (one, other) => {
      const visitor = apps.visitor();
      const _csrf = await tokenAt(visitor, one);
      await visitor.submit(`/${other}/login`, { username: 'bob', password: 'bob', _csrf });
      for (const side of SIDES) expect(await userAt(visitor, side)).toBe('bob');
    });

    it.each(BOTH_WAYS)(
      'a token of %s from before a login at the other side is refused by %s after it',
      async (one, other) => {
        const visitor = apps.visitor();
        const old = await tokenAt(visitor, one);
        await logIn(visitor, other);
        for (const side of SIDES) {
          const { status } = await visitor.submit(`/${side}/logout`, { _csrf: old });
          expect({ side, status }).toEqual({ side, status: 403 });
          expect(await userAt(visitor, side)).toBe('alice');
        }
      },
    );

    it.each(SIDES)('%s refuses a form with the token of another visitor', async (side) => {
      const stranger = await tokenAt(apps.visitor(), side);
      const visitor = await apps.login(side);
      expect((await visitor.submit(`/${side}/logout`, { _csrf: stranger })).status).toBe(403);
    });

    it('both sides ask a user whom Spring remembers to log in again, and a login at Nest is enough', async () => {
      const visitor = apps.visitor();
      await logIn(visitor, 'spring', { 'remember-me': 'on' });
      await visitor.forget('SESSION');
      await visitor.open('/spring/home');
      for (const side of SIDES) {
        expect(await kindAt(visitor, side)).toBe('remember-me');
        expect((await visitor.open(`/${side}/vault`)).location).toMatch(/\/login/);
      }
      await logIn(visitor, 'nest');
      for (const side of SIDES) {
        expect(await kindAt(visitor, side)).toBe('full');
        expect((await visitor.open(`/${side}/vault`)).text).toBe('hello alice');
      }
    });

    it('Spring asks a user whom Nest remembers to log in again, and a login there is enough', async () => {
      const visitor = apps.visitor();
      await logIn(visitor, 'nest', { 'remember-me': 'on' });
      expect(await kindAt(visitor, 'nest')).toBe('full');
      expect((await visitor.open('/nest/vault')).text).toBe('hello alice');
      expect(await kindAt(visitor, 'spring')).toBe('remember-me');
      expect((await visitor.open('/spring/members')).text).toBe('hello alice');
      expect((await visitor.open('/spring/vault')).location).toMatch(/\/login/);
      await logIn(visitor, 'spring');
      expect((await visitor.open('/spring/vault')).text).toBe('hello alice');
    });

    it('a user whom Spring remembers stays logged out after a logout at Nest', async () => {
      const visitor = apps.visitor();
      await logIn(visitor, 'spring', { 'remember-me': 'on' });
      await apps.logOut(visitor, 'nest');
      await visitor.open('/spring/home');
      for (const side of SIDES) expect(await userAt(visitor, side)).toBeNull();
    });

    it.each([
      [
        'login-as-account?email=kim@example.com',
        'Account kim@example.com of sales',
        { username: 'kim@example.com', department: 'sales' },
      ],
      [
        'login-by-oauth2?login=kim',
        'DefaultOAuth2User kim',
        { username: 'kim', provider: 'github', id: 6_000_000_000 },
      ],
      [
        'login-by-oidc?subject=kim',
        'DefaultOidcUser kim',
        { username: 'kim', provider: 'keycloak', email: 'kim@example.com' },
      ],
    ])(
      'a user of a class of his own is one on both sides, by %s',
      async (path, atSpring, principal) => {
        const kim = apps.visitor();
        expect((await kim.postJson(`/spring/api/${path}`, {})).status).toBe(200);
        const key = await sessionKeyOf(kim);
        const before = await apps.redis.hget(key, CONTEXT);
        const { text } = await kim.getJson('/nest/api/me');
        expect(JSON.parse(text)).toMatchObject({ name: principal.username, principal });
        await kim.postJson('/nest/api/cart?item=book', {});
        expect(await apps.redis.hget(key, CONTEXT)).toBe(before);
        await kim.postJson('/nest/api/session-id', {});
        expect((await kim.getJson('/spring/api/principal')).text).toBe(atSpring);
        await apps.logOut(kim, 'nest');
        expect((await kim.getJson('/spring/api/principal')).text).toBe('nobody');
      },
    );

    it('a login at Nest gives Spring a user of its own class', async () => {
      const kim = await apps.login('nest', 'kim@example.com');
      expect((await kim.getJson('/spring/api/principal')).text).toBe(
        'Account kim@example.com of sales',
      );
      const { text } = await kim.getJson('/nest/api/me');
      expect(JSON.parse(text)).toMatchObject({ principal: { department: 'sales' } });
    });
  });
}
