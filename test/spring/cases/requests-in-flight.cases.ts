import { describe, expect, it } from '@jest/globals';
import { type Visitor } from '../../../tools/demo/visitor.mjs';
import { eightAtATime } from '../../support/waiting/eight-at-a-time.js';
import { eventually } from '../../support/waiting/eventually.js';
import { sessionKeyOf, type SpringApps, userAt } from '../spring-stack.js';

type Side = 'nest' | 'spring';

/** 500 beside each Spring Boot, over four kinds of stack. With an idle time of 0, 125 logouts had 3 to 7 answers of 500. */
const LOGOUTS = 125;
/** A session must be read once before it expires, also where other programs hold the processor. */
const SHORT_INTERVAL_SECONDS = 5;

export function describeRequestsInFlight(apps: SpringApps): void {
  const { repository } = apps.options;
  describe('requests in flight', () => {
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

    async function expectStranger(cookies: Visitor): Promise<void> {
      for (const side of ['spring', 'nest'] as const)
        expect(await userAt(cookies.copyWithCookies(), side)).toBeNull();
    }

    it.each([
      ['spring', 'nest'],
      ['nest', 'spring'],
      ['spring', 'spring'],
      ['nest', 'nest'],
    ] as const)(
      'a request at %s neither fails nor revives a session that ends by a logout at %s',
      async (slow, other) => {
        const alice = await apps.login(other);
        const copy = alice.copyWithCookies();
        const request = await inFlight(alice, slow);
        await apps.logOut(alice, other);
        const status = await request.finish();
        // The default repository of Spring answers 500 to its own logouts.
        if (other === 'nest' || slow === 'nest' || repository === 'indexed')
          expect(status).toBe(200);
        await expectStranger(copy);
        await expectStranger(copy);
      },
    );

    it.each(['spring', 'nest'] as const)(
      'a request at %s neither fails nor revives the old id after Nest has changed it',
      async (slow) => {
        const alice = await apps.login('spring');
        const copy = alice.copyWithCookies();
        const request = await inFlight(alice, slow);
        await alice.postJson('/nest/api/session-id', {});
        expect(await request.finish()).toBe(200);
        await expectStranger(copy);
        for (const side of ['spring', 'nest'] as const)
          expect(await userAt(alice, side)).toBe('alice');
      },
    );

    it('a request at nest does not revive the old id after Spring has changed it', async () => {
      const alice = await apps.login('nest');
      const copy = alice.copyWithCookies();
      const request = await inFlight(alice, 'nest');
      await alice.postJson('/spring/api/session-id', {});
      expect(await request.finish()).toBe(200);
      await expectStranger(copy);
      for (const side of ['spring', 'nest'] as const)
        expect(await userAt(alice, side)).toBe('alice');
    });

    it('a login at Spring with the cookie of a session that Nest has ended begins a session for both', async () => {
      const alice = await apps.login('nest');
      const copy = alice.copyWithCookies();
      await apps.logOut(alice, 'nest');
      const token = (await copy.getJson('/spring/api/csrf')).text;
      await copy.submit('/spring/login', { username: 'bob', password: 'bob', _csrf: token });
      for (const side of ['spring', 'nest'] as const) expect(await userAt(copy, side)).toBe('bob');
      expect(await apps.redis.pttl(await sessionKeyOf(copy))).toBeGreaterThan(1_700_000);
      await apps.logOut(copy, 'nest');
      await expectStranger(copy);
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

    it('a session that Nest has ended for good leaves Redis', async () => {
      const alice = await apps.login('nest');
      const key = await sessionKeyOf(alice);
      await apps.logOut(alice, 'nest');
      const ttlMs = await apps.redis.pttl(key);
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(300_000);
    });

    it.each([
      ['nest', 'spring'],
      ['spring', 'nest'],
    ] as const)(
      `${LOGOUTS} logouts at %s while %s serves: no 5xx, and nobody is logged in afterwards`,
      async (ending, serving) => {
        const first = await apps.login('nest', 'bob');
        const token = (await first.getJson(`/${ending}/api/csrf`)).text;
        const ids = await copiesOf(await sessionKeyOf(first), LOGOUTS);
        const statuses = new Map<number, number>();
        const headers = { 'x-csrf-token': token };
        await eightAtATime(ids, async (id) => {
          const { [ending]: ends, [serving]: serves } = apps.running;
          // Nest stores texts by Java serialization, and no lists.
          const write = serving === 'nest' ? 'attributes' : 'cart?item=x';
          const answers = await Promise.all([
            ask(`${serves.url}/${serving}/api/${write}`, id, A_TEXT),
            ask(`${ends.url}/${ending}/logout`, id, { method: 'POST', headers }),
            ask(`${serves.url}/${serving}/api/me`, id),
          ]);
          for (const status of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
        });
        // Programs get 204 of Nest's logout, and a redirect of Spring's.
        const loggedOut = ending === 'nest' ? 204 : 302;
        expect(Object.fromEntries(statuses)).toEqual({ 200: 2 * LOGOUTS, [loggedOut]: LOGOUTS });
        let revived = 0;
        await eightAtATime(ids, async (id) => {
          for (const side of ['spring', 'nest', 'spring'] as const) {
            const response = await fetch(`${apps.running[side].url}/${side}/api/me`, {
              headers: { cookie: cookieOf(id) },
            });
            const { name } = (await response.json()) as { name: unknown };
            if (name !== null) revived++;
          }
        });
        expect(revived).toBe(0);
      },
      120_000,
    );

    /** @returns ids of sessions like the one under `key` */
    async function copiesOf(key: string, count: number): Promise<string[]> {
      const fields = Object.entries(await apps.redis.hgetallBuffer(key)).flat();
      const ids = Array.from({ length: count }, () => crypto.randomUUID());
      await eightAtATime(ids, async (id) => {
        const copy = `spring:session:sessions:${id}`;
        await apps.redis.hset(copy, ...fields);
        await apps.redis.expire(copy, 2100);
        if (repository === 'indexed')
          await apps.redis.set(`spring:session:sessions:expires:${id}`, '', 'EX', 1800);
      });
      return ids;
    }

    it.each(['spring', 'nest'] as const)(
      'a session that is made at %s expires on both sides',
      async (made) => {
        const alice = await apps.login(made);
        const key = await sessionKeyOf(alice);
        const interval = await apps.redis.hgetBuffer(key, 'maxInactiveInterval');
        await apps.redis.hset(key, 'maxInactiveInterval', shortIntervalLike(interval));
        expect(await userAt(alice.copyWithCookies(), 'nest')).toBe('alice');
        const lastAccess = async () =>
          numberIn(await apps.redis.hgetBuffer(key, 'lastAccessedTime'));
        await eventually(
          async () => Date.now() > (await lastAccess()) + SHORT_INTERVAL_SECONDS * 1000,
        );
        await expectStranger(alice);
      },
    );
  });
}

/** A number of Java serialization ends with its bytes: four of an `Integer`, eight of a `Long`. */
const isJava = (field: Buffer) => field[0] === 0xac;

function shortIntervalLike(interval: Buffer | null): Buffer | string {
  if (!interval || !isJava(interval)) return String(SHORT_INTERVAL_SECONDS);
  return Buffer.concat([interval.subarray(0, -4), Buffer.from([0, 0, 0, SHORT_INTERVAL_SECONDS])]);
}

/** @returns 0 for a session that has left Redis */
function numberIn(field: Buffer | null): number {
  if (!field) return 0;
  return isJava(field) ? Number(field.readBigInt64BE(field.length - 8)) : Number(field);
}

const A_TEXT = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"text":"x"}',
};

function cookieOf(id: string): string {
  return `SESSION=${Buffer.from(id).toString('base64')}`;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** @returns the status of the answer to a request with the session */
async function ask(url: string, id: string, { headers, ...more }: Ask = {}): Promise<number> {
  const response = await fetch(url, {
    ...more,
    redirect: 'manual',
    headers: { ...headers, accept: '*/*', cookie: cookieOf(id) },
  });
  await response.text();
  return response.status;
}
