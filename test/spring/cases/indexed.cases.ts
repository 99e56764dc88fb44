import { describe, expect, it } from '@jest/globals';
import { type Visitor } from '../../../tools/demo/visitor.mjs';
import { eventually } from '../../support/waiting/eventually.js';
import { sessionIdOf, sessionKeyOf, type SpringApps, userAt } from '../spring-stack.js';

const SIDES = ['spring', 'nest'] as const;
const INDEX =
  'spring:session:index:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME:';

async function jsonAt<T>(apps: SpringApps, side: 'nest' | 'spring', path: string): Promise<T> {
  const { status, text } = await apps.visitor().getJson(`/${side}/api/${path}`);
  expect({ path, status, text }).toMatchObject({ status: 200 });
  return JSON.parse(text) as T;
}

/** What each side has told of a session, in order. */
async function eventsOf(
  apps: SpringApps,
  id: string,
): Promise<Record<'nest' | 'spring', string[]>> {
  const [spring, nest] = await Promise.all(
    SIDES.map(async (side) => {
      const events = await jsonAt<string[]>(apps, side, 'events');
      return events
        .filter((event) => event.includes(id))
        .map((event) => event.replace(` ${id}`, ''));
    }),
  );
  return { spring: spring ?? [], nest: nest ?? [] };
}

/** Waits until both sides have told of a session that ended after everything before: what they tell twice is there, too. */
async function untilAllIsTold(apps: SpringApps): Promise<void> {
  const visitor = apps.visitor();
  await visitor.postJson('/spring/api/cart?item=marker', {});
  const id = await sessionIdOf(visitor);
  await apps.logOut(visitor, 'spring');
  await eventually(async () => {
    const events = await eventsOf(apps, id);
    return SIDES.every((side) => events[side].some((event) => /deleted/i.test(event)));
  });
}

async function expectEvents(
  apps: SpringApps,
  id: string,
  expected: Record<'nest' | 'spring', string[]>,
) {
  const isTold = async () => {
    const events = await eventsOf(apps, id);
    return SIDES.every((side) => events[side].length >= expected[side].length);
  };
  await eventually(isTold).catch(() => undefined);
  await untilAllIsTold(apps);
  expect(await eventsOf(apps, id)).toEqual(expected);
}

/** Come before tests that leave sessions of bob. */
export function describeIndexAndEvents(apps: SpringApps): void {
  describe('the index and the events', () => {
    it('both sides find the sessions of both sides by their user', async () => {
      const visitors = [await apps.login('nest', 'bob'), await apps.login('spring', 'bob')];
      for (const side of SIDES)
        expect(await jsonAt<number>(apps, side, 'sessions?user=bob')).toBe(2);
      for (const visitor of visitors) await visitor.postJson('/nest/api/session-id', {});
      await visitors[0]?.postJson('/spring/api/session-id', {});
      for (const side of SIDES)
        expect(await jsonAt<number>(apps, side, 'sessions?user=bob')).toBe(2);
      await apps.logOut(visitors[0] as Visitor, 'spring');
      for (const side of SIDES)
        expect(await jsonAt<number>(apps, side, 'sessions?user=bob')).toBe(1);
      await apps.logOut(visitors[1] as Visitor, 'nest');
      for (const side of SIDES)
        expect(await jsonAt<number>(apps, side, 'sessions?user=bob')).toBe(0);
      expect(await apps.redis.smembers(`${INDEX}bob`)).toEqual([]);
    });

    it('a login of another user in the same session leaves the index of the first one', async () => {
      const before = await apps.redis.smembers(`${INDEX}alice`);
      const visitor = await apps.login('spring', 'bob');
      const csrf = (await visitor.getJson('/nest/api/csrf')).text;
      await visitor.submit('/nest/login', { username: 'alice', password: 'alice', _csrf: csrf });
      expect(await apps.redis.smembers(`${INDEX}bob`)).toEqual([]);
      const expected = [...before, JSON.stringify(await sessionIdOf(visitor))];
      expect((await apps.redis.smembers(`${INDEX}alice`)).sort()).toEqual(expected.sort());
      await apps.logOut(visitor, 'nest');
    });

    it('a user who signs out everywhere else at Nest is logged out at Spring', async () => {
      const [here, there] = [
        await apps.login('nest', 'alice'),
        await apps.login('spring', 'alice'),
      ];
      await here.postJson('/nest/api/sign-out-others?user=alice', {});
      expect(await userAt(here, 'spring')).toBe('alice');
      for (const side of SIDES) expect(await userAt(there.copyWithCookies(), side)).toBeNull();
      await apps.logOut(here, 'nest');
    });

    it.each([
      ['nest', 'nest'],
      ['nest', 'spring'],
      ['spring', 'nest'],
      ['spring', 'spring'],
    ] as const)(
      'both sides tell once of a session that is made at %s and deleted at %s',
      async (made, ended) => {
        const visitor = apps.visitor();
        await visitor.postJson(`/${made}/api/cart?item=book`, {});
        const id = await sessionIdOf(visitor);
        await apps.logOut(visitor, ended);
        await expectEvents(apps, id, {
          spring: ['SessionCreatedEvent nobody', 'SessionDeletedEvent nobody'],
          nest: ['created nobody', 'deleted nobody'],
        });
      },
    );

    it.each([
      ['nest', 'nest'],
      ['nest', 'spring'],
      ['spring', 'spring'],
    ] as const)(
      'both sides tell once of a session that is made at %s, last used at %s, and expires',
      async (made, last) => {
        const bob = await apps.login(made, 'bob');
        const id = await sessionIdOf(bob);
        const key = await sessionKeyOf(bob);
        await apps.redis.hset(key, 'maxInactiveInterval', '3');
        await bob.copyWithCookies().postJson(`/${last}/api/cart?item=book`, {});
        await eventually(async () => (await eventsOf(apps, id)).nest.includes('expired bob'));
        await untilAllIsTold(apps);
        const { spring, nest } = await eventsOf(apps, id);
        expect(spring.filter((event) => event.startsWith('SessionExpired'))).toEqual([
          'SessionExpiredEvent bob',
        ]);
        expect(nest.filter((event) => event.startsWith('expired'))).toEqual(['expired bob']);
        expect(await apps.redis.smembers(`${INDEX}bob`)).toEqual([]);
      },
    );

    it('Nest tells of an id that it changes', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/cart?item=book', {});
      await visitor.postJson('/nest/api/session-id', {});
      const id = await sessionIdOf(visitor);
      await expectEvents(apps, id, { spring: [], nest: ['id-changed nobody'] });
    });

    it('keeps the keys as Spring does, each with a time to live', async () => {
      const alice = await apps.login('nest', 'alice');
      const id = await sessionIdOf(alice);
      expect(await apps.redis.exists(`spring:session:sessions:expires:${id}`)).toBe(1);
      const buckets = await apps.redis.keys('spring:session:expirations:*');
      const member = JSON.stringify(`expires:${id}`);
      const holding = await Promise.all(
        buckets.map(async (bucket) => ((await apps.redis.sismember(bucket, member)) ? bucket : [])),
      );
      expect(holding.flat()).toHaveLength(1);
      const [hashMs, shadowMs] = [
        await apps.redis.pttl(`spring:session:sessions:${id}`),
        await apps.redis.pttl(`spring:session:sessions:expires:${id}`),
      ];
      expect(Math.abs(hashMs - shadowMs - 300_000)).toBeLessThan(1000);
      await apps.logOut(alice, 'spring');
    });
  });
}

export function describeSessionLimit(apps: SpringApps): void {
  describe('maximumSessions of 1 on both sides', () => {
    it.each([
      ['nest', 'spring'],
      ['spring', 'nest'],
      ['nest', 'nest'],
    ] as const)(
      'a login at %s is ended by a later one at %s, on both sides',
      async (first, second) => {
        const earlier = await apps.login(first, 'bob');
        const later = await apps.login(second, 'bob');
        for (const side of SIDES) {
          const answer = await earlier.copyWithCookies().open(`/${side}/members`);
          expect({ side, ...answer, text: '' }).not.toMatchObject({ text: 'hello bob' });
          expect(answer.text).not.toContain('hello bob');
        }
        for (const side of SIDES) expect(await userAt(later, side)).toBe('bob');
        await apps.logOut(later, 'nest');
      },
    );

    it('a user is told once at Nest that a newer login at Spring has ended the session', async () => {
      const earlier = await apps.login('nest', 'bob');
      const later = await apps.login('spring', 'bob');
      const told = await earlier.copyWithCookies().open('/nest/members');
      expect(told.location).toContain('reason=maximum-sessions');
      const again = await earlier.copyWithCookies().open('/nest/members');
      expect(again.location).toContain('reason=session-ended');
      expect(await apps.redis.hget(await sessionKeyOf(earlier), 'maxInactiveInterval')).toBe('0');
      expect(await userAt(later, 'nest')).toBe('bob');
      await apps.logOut(later, 'nest');
    });

    it('a user is told at Spring that a newer login at Nest has ended the session', async () => {
      const earlier = await apps.login('spring', 'bob');
      const later = await apps.login('nest', 'bob');
      const told = await earlier.copyWithCookies().open('/spring/members');
      expect(told.text).toContain('This session has been expired');
      const again = await earlier.copyWithCookies().open('/spring/members');
      expect(again.location).toContain('/login');
      expect(await userAt(later, 'spring')).toBe('bob');
      await apps.logOut(later, 'nest');
    });

    it('a newer login at Nest makes no request of Spring in flight fail, and none logs its user in again', async () => {
      const earlier = await apps.login('spring', 'bob');
      const slow = earlier.copyWithCookies().postJson('/spring/api/slow', {});
      const waiting = async () => (await apps.visitor().getJson('/spring/api/waiting')).text;
      await eventually(async () => (await waiting()) === '1');
      const later = await apps.login('nest', 'bob');
      await apps.visitor().postJson('/spring/api/go-on', {});
      expect((await slow).status).toBe(200);
      for (const side of [...SIDES, ...SIDES]) {
        const { text } = await earlier.copyWithCookies().open(`/${side}/members`);
        expect(text).not.toContain('hello bob');
      }
      expect(await userAt(later, 'spring')).toBe('bob');
      await apps.logOut(later, 'nest');
    });

    it('both sides report once that a newer login at Nest has ended a session', async () => {
      const earlier = await apps.login('nest', 'bob');
      const id = await sessionIdOf(earlier);
      const later = await apps.login('nest', 'bob');
      await earlier.open('/spring/members');
      await earlier.open('/nest/members');
      await apps.logOut(later, 'nest');
      const isEnd = (event: string) => /deleted/i.test(event);
      await eventually(async () => {
        const events = await eventsOf(apps, id);
        return SIDES.every((side) => events[side].some(isEnd));
      });
      await untilAllIsTold(apps);
      const { spring, nest } = await eventsOf(apps, id);
      expect(spring.filter(isEnd)).toEqual(['SessionDeletedEvent nobody']);
      expect(nest.filter(isEnd)).toEqual(['deleted bob']);
    });

    it('a user whom a newer login has ended can log in again on either side', async () => {
      const first = await apps.login('nest', 'bob');
      const second = await apps.login('nest', 'bob');
      expect((await first.open('/spring/members')).text).toContain('This session has been expired');
      const token = (await first.getJson('/spring/api/csrf')).text;
      await first.submit('/spring/login', { username: 'bob', password: 'bob', _csrf: token });
      for (const side of SIDES) expect(await userAt(first, side)).toBe('bob');
      expect((await second.open('/nest/members')).location).toContain('reason=maximum-sessions');
      await apps.logOut(first, 'nest');
    });

    it('of 10 logins at Nest at the same time one stays', async () => {
      const visitors = await Promise.all(
        Array.from({ length: 10 }, () => apps.login('nest', 'alice')),
      );
      const answers = await Promise.all(visitors.map((each) => each.getJson('/spring/api/me')));
      const texts = answers.map(({ text }) => text);
      expect(texts.filter((text) => text.includes('"alice"'))).toHaveLength(1);
      expect(texts.filter((text) => text.includes('has been expired'))).toHaveLength(9);
    });
  });
}

/** A login beyond the limit is refused on both sides. */
export function describeRejectedLogins(apps: SpringApps): void {
  const ALL_WAYS = SIDES.flatMap((one) => SIDES.map((other) => [one, other] as const));

  async function logIn(visitor: Visitor, side: 'nest' | 'spring'): Promise<string> {
    const token = (await visitor.getJson(`/${side}/api/csrf`)).text;
    const form = { username: 'bob', password: 'bob', _csrf: token };
    return (await visitor.submit(`/${side}/login`, form)).location ?? '';
  }

  describe('maximumSessions of 1 on both sides, where a login beyond it is refused', () => {
    it.each(ALL_WAYS)(
      'a session that began at %s refuses a login at %s, on both sides, until it ends',
      async (first, second) => {
        const earlier = await apps.login(first, 'bob');
        const later = apps.visitor();
        await later.postJson(`/${first}/api/cart?item=book`, {});
        expect(await logIn(later, second)).toMatch(/\/login\?(?:error|reason=maximum-sessions)$/);
        for (const side of SIDES) {
          expect(await userAt(earlier, side)).toBe('bob');
          expect(await userAt(later.copyWithCookies(), side)).toBeNull();
          expect((await later.copyWithCookies().getJson(`/${side}/api/cart`)).text).toBe(
            '["book"]',
          );
          expect(await jsonAt<number>(apps, side, 'sessions?user=bob')).toBe(1);
        }
        await apps.logOut(earlier, second);
        expect(await logIn(later, second)).not.toMatch(/login/);
        for (const side of SIDES) expect(await userAt(later, side)).toBe('bob');
        await apps.logOut(later, first);
      },
    );

    it.each(ALL_WAYS)(
      'a user who has logged in at %s may log in again at %s in the same session',
      async (first, second) => {
        const bob = await apps.login(first, 'bob');
        expect(await logIn(bob, second)).not.toMatch(/login/);
        for (const side of SIDES) expect(await userAt(bob, side)).toBe('bob');
        expect(await jsonAt<number>(apps, 'spring', 'sessions?user=bob')).toBe(1);
        await apps.logOut(bob, first);
      },
    );

    it('of 10 logins at Nest at the same time one succeeds, and Spring knows that one alone', async () => {
      const visitors = Array.from({ length: 10 }, () => apps.visitor());
      const locations = await Promise.all(visitors.map((each) => logIn(each, 'nest')));
      expect(locations.filter((location) => !location.includes('login'))).toHaveLength(1);
      const names = await Promise.all(visitors.map((each) => userAt(each, 'spring')));
      expect(names.filter((name) => name === 'bob')).toHaveLength(1);
      expect(await jsonAt<number>(apps, 'spring', 'sessions?user=bob')).toBe(1);
    });
  });
}
