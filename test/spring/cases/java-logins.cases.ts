import { describe, expect, it } from '@jest/globals';
import { type Visitor } from '../../../tools/demo/visitor.mjs';
import { eventually } from '../../support/waiting/eventually.js';
import { sessionIdOf, sessionKeyOf, type SpringApps, userAt } from '../spring-stack.js';

const SIDES = ['spring', 'nest'] as const;
const INDEX =
  'spring:session:index:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME:';

export function describeJavaLogins(apps: SpringApps): void {
  const { repository } = apps.options;
  describe('logins that Nest stores by Java serialization', () => {
    async function expectUser(visitor: Visitor, name: string | null): Promise<void> {
      for (const side of [...SIDES, ...SIDES]) expect(await userAt(visitor, side)).toBe(name);
    }

    function member(text: string): Buffer {
      return Buffer.from(`\xac\xed\0\x05t\0${String.fromCharCode(text.length)}${text}`, 'latin1');
    }

    it.each(['no session', 'a session of Spring'])(
      'are honoured by Spring, from %s',
      async (from) => {
        const alice = apps.visitor();
        if (from !== 'no session') await alice.postJson('/spring/api/cart?item=book', {});
        const token = (await alice.getJson('/nest/api/csrf')).text;
        const form = { username: 'alice', password: 'alice', _csrf: token };
        expect((await alice.submit('/nest/login', form)).status).toBe(303);
        await expectUser(alice, 'alice');
        for (const page of ['members', 'admin', 'vault'])
          expect((await alice.open(`/spring/${page}`)).text).toBe('hello alice');
        expect((await alice.open('/nest/admin')).status).toBe(200);
        const cart = (await alice.getJson('/spring/api/cart')).text;
        expect(cart).toBe(from === 'no session' ? '[]' : '["book"]');
      },
    );

    it('are honoured by both sides when Nest remembers the user, and are no full ones', async () => {
      const alice = apps.visitor();
      const token = (await alice.getJson('/nest/api/csrf')).text;
      const form = { username: 'alice', password: 'alice', _csrf: token, 'remember-me': 'on' };
      expect((await alice.submit('/nest/login', form)).status).toBe(303);
      await expectUser(alice, 'alice');
      for (const side of SIDES) {
        expect((await alice.open(`/${side}/members`)).text).toBe('hello alice');
        expect((await alice.open(`/${side}/vault`)).location).toMatch(/\/login/);
      }
    });

    it('hold no role that the user does not have', async () => {
      const bob = await apps.login('nest', 'bob');
      await expectUser(bob, 'bob');
      for (const side of SIDES) expect((await bob.open(`/${side}/admin`)).status).toBe(403);
    });

    it.each([
      ['nest', 'spring'],
      ['spring', 'nest'],
      ['nest', 'nest'],
    ] as const)('end on both sides: made at %s, ended at %s', async (made, ended) => {
      const alice = await apps.login(made);
      const copy = alice.copyWithCookies();
      await expectUser(alice, 'alice');
      await apps.logOut(alice, ended);
      await expectUser(copy, null);
    });

    it('take an id of Nest and one of Spring, and the old ones are dead', async () => {
      const alice = await apps.login('nest');
      for (const side of SIDES) {
        const old = alice.copyWithCookies();
        const before = await sessionIdOf(alice);
        expect((await alice.postJson(`/${side}/api/session-id`, {})).status).toBe(200);
        expect(await sessionIdOf(alice)).not.toBe(before);
        await expectUser(alice, 'alice');
        await expectUser(old, null);
      }
    });

    it('make no request of Spring in flight fail, and the old id logs nobody in', async () => {
      const alice = await apps.login('spring');
      const copy = alice.copyWithCookies();
      const slow = alice.copyWithCookies().postJson('/spring/api/slow', {});
      const waiting = async () => (await apps.visitor().getJson('/spring/api/waiting')).text;
      await eventually(async () => (await waiting()) === '1');
      await alice.postJson('/nest/api/session-id', {});
      await apps.visitor().postJson('/spring/api/go-on', {});
      expect((await slow).status).toBe(200);
      await expectUser(copy, null);
      await expectUser(alice, 'alice');
    });

    it('a login at Spring takes the place of one at Nest', async () => {
      const visitor = await apps.login('nest', 'bob');
      const token = (await visitor.getJson('/nest/api/csrf')).text;
      await visitor.submit('/spring/login', { username: 'alice', password: 'alice', _csrf: token });
      await expectUser(visitor, 'alice');
    });

    it('texts, numbers and booleans of Nest are what Spring reads, and anything else is refused', async () => {
      const visitor = apps.visitor();
      const long = 'naïve 🍪'.repeat(7_000);
      const plain = {
        text: 'naïve 🍪 \0',
        long,
        integer: 5,
        far: 6_000_000_000,
        half: 1.5,
        yes: true,
      };
      expect((await visitor.postJson('/nest/api/attributes', plain)).status).toBe(200);
      const expected = {
        ...{ text: 'java.lang.String naïve 🍪 \0', long: `java.lang.String ${long}` },
        ...{ integer: 'java.lang.Integer 5', far: 'java.lang.Long 6000000000' },
        ...{ half: 'java.lang.Double 1.5', yes: 'java.lang.Boolean true' },
      };
      const read = async () =>
        JSON.parse((await visitor.getJson('/spring/api/attributes')).text) as unknown;
      expect(await read()).toEqual(expected);
      for (const refused of [{ list: [1] }, { map: { a: 1 } }])
        expect((await visitor.postJson('/nest/api/attributes', refused)).status).toBe(500);
      expect(await read()).toEqual(expected);
    });

    const itIndexed = repository === 'indexed' ? it : undefined;

    itIndexed?.('are found by their user at Spring, and leave nothing behind', async () => {
      const bob = await apps.login('nest', 'bob');
      const id = await sessionIdOf(bob);
      expect(await apps.redis.sismember(`${INDEX}bob`, member(id))).toBe(1);
      expect(await apps.redis.exists(`spring:session:sessions:expires:${id}`)).toBe(1);
      const buckets = await apps.redis.keys('spring:session:expirations:*');
      const holding = await Promise.all(
        buckets.map((bucket) => apps.redis.sismember(bucket, member(`expires:${id}`))),
      );
      expect(holding.filter((each) => each === 1)).toHaveLength(1);
      const key = await sessionKeyOf(bob);
      const [hashMs, shadowMs] = [
        await apps.redis.pttl(key),
        await apps.redis.pttl(`spring:session:sessions:expires:${id}`),
      ];
      expect(Math.abs(hashMs - shadowMs - 300_000)).toBeLessThan(1000);
      await apps.logOut(bob, 'nest');
      await eventually(async () => !(await apps.redis.sismember(`${INDEX}bob`, member(id))));
    });
  });
}
