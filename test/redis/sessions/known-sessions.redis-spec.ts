import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisIndexedSessionRepository } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.js';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { type SessionRepositoryOptions } from '../../../libs/redis-session/src/session/repository-options.js';
import { type MapSession } from '../../../libs/redis-session/src/session/map-session.js';
import { startRedis } from '../../support/redis/redis-server.js';

type Options = Partial<SessionRepositoryOptions>;
type Repository = RedisSessionRepository | RedisIndexedSessionRepository;

const endings: (() => unknown)[] = [];
const LARGE = 'x'.repeat(20_000);

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** All attributes, by name. */
function contentOf(session: MapSession | undefined): Record<string, unknown> | undefined {
  if (!session) return undefined;
  const names = session.attributeNames as never[];
  return Object.fromEntries(names.map((name) => [name, session.getAttribute(name)]));
}

/** What is found under each of `names`, whether it is listed or not. */
function valuesOf(session: MapSession | undefined, names: readonly string[]): unknown[] {
  return names.map((name) => session?.getAttribute(name as never));
}

/** The same numbers in each run, from 0 to 1. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

describe.each([
  ['default', (client: Redis, options: Options) => new RedisSessionRepository(client, options)],
  [
    'indexed',
    (client: Redis, options: Options) => new RedisIndexedSessionRepository(client, options),
  ],
])(
  'a large session of the %s repository',
  (_name, create: (c: Redis, o: Options) => Repository) => {
    let observer: Redis;
    let id: string;
    /** Two replicas. */
    let one: Repository;
    let other: Repository;
    let nowMs: number;
    let open: (options?: Options) => Repository;

    beforeEach(async () => {
      const server = await startRedis();
      endings.push(() => server.stop());
      const connect = () => {
        const client = new Redis(server.url, { replyMapping: 'legacy' });
        endings.push(() => client.disconnect());
        return client;
      };
      observer = connect();
      nowMs = Date.now();
      open = (options = {}) => create(connect(), { clock: () => nowMs, ...options });
      [one, other] = [open(), open()];
      const session = one.createSession();
      session.setAttribute('large', LARGE);
      session.setAttribute('count', 1);
      await session.save();
      id = session.id;
    });

    it('gets its version at the first read, also in the second after it was created', async () => {
      await one.findById(id, { accessTimeMs: nowMs });
      const [key = ''] = await observer.keys(`*${id.slice(8)}`);
      expect(await observer.hget(key, 'version')).toMatch(/^[0-9a-f]{16}$/);
    });

    const request = (repository: Repository) =>
      repository.findById(id, { accessTimeMs: (nowMs += 1) });

    async function change(
      repository: Repository,
      act: (session: MapSession) => void,
    ): Promise<void> {
      const session = await request(repository);
      if (!session) throw new Error('there is no session');
      act(session);
      await session.save();
      id = session.id;
    }

    /** Bytes that Redis has sent to all clients while `act` ran. */
    async function bytesSent(act: () => Promise<unknown>): Promise<number> {
      const read = async () =>
        Number(/total_net_output_bytes:(\d+)/.exec(await observer.info('stats'))?.[1]);
      const before = await read();
      await act();
      return (await read()) - before;
    }

    it('is sent to a replica once, and again when another one has changed it', async () => {
      expect(await bytesSent(() => request(other))).toBeGreaterThan(LARGE.length);
      expect(await bytesSent(() => request(other))).toBeLessThan(LARGE.length);
      await request(one);
      await change(one, (session) => session.setAttribute('count', 2));
      expect(await bytesSent(() => request(other))).toBeGreaterThan(LARGE.length);
      expect(contentOf(await request(other))).toEqual({ large: LARGE, count: 2 });
    });

    it('is not sent to a replica after its own changes', async () => {
      await request(one);
      const sent = await bytesSent(async () => {
        await change(one, (session) => session.setAttribute('count', 2));
        await change(one, (session) => session.removeAttribute('count'));
        await change(one, (session) => session.changeSessionId());
        await change(one, (session) => (session.maxInactiveIntervalSeconds = 60));
        expect(contentOf(await request(one))).toEqual({ large: LARGE });
        expect((await request(one))?.maxInactiveIntervalSeconds).toBe(60);
      });
      expect(sent).toBeLessThan(LARGE.length);
    });

    it('is the same for all replicas, whoever changes what, in whatever order', async () => {
      const random = randomNumbers(42);
      const any = <T>(choices: readonly T[]): T =>
        choices[Math.floor(random() * choices.length)] as T;
      const expected = new Map<string, unknown>(Object.entries({ large: LARGE, count: 1 }));
      const names = ['a', 'b', 'c', 'large', 'count'];
      for (let step = 0; step < 300; step += 1) {
        const name = any(names);
        const value = name === 'large' ? `${step}${LARGE}` : any([step, `${step}`, { step }]);
        await change(any([one, other]), (session) => {
          const kind = any(['set', 'set', 'update', 'remove', 'id', 'interval', 'nothing']);
          if (kind === 'set') session.setAttribute(name, value);
          if (kind === 'update') void session.update(name, () => value);
          if (kind === 'set' || kind === 'update') expected.set(name, value);
          if (kind === 'remove') session.removeAttribute(name);
          if (kind === 'remove') expected.delete(name);
          if (kind === 'id') session.changeSessionId();
          if (kind === 'interval') session.maxInactiveIntervalSeconds = 1000 + step;
        });
        for (const replica of [one, other]) {
          const seen = await request(replica);
          expect(contentOf(seen)).toEqual(Object.fromEntries(expected));
          expect(valuesOf(seen, names)).toEqual(names.map((each) => expected.get(each)));
        }
      }
    });

    it('is the same for all replicas when a name comes back changed, as half a surrogate pair does', async () => {
      await request(one);
      await change(one, (session) => session.setAttribute('cut \ud83d', 1));
      const expected = { large: LARGE, count: 1, 'cut \ufffd': 1 };
      expect(contentOf(await request(one))).toEqual(expected);
      expect(contentOf(await request(other))).toEqual(expected);
    });

    it('is the same for all replicas after changes at the same time', async () => {
      for (let round = 0; round < 20; round += 1) {
        const sessions = await Promise.all(
          [one, other, one, other].map((replica) => request(replica)),
        );
        sessions.forEach((session, i) => session?.setAttribute(`by${i}`, round));
        await Promise.all(sessions.map(async (session) => session?.save()));
        const expected = { large: LARGE, count: 1, by0: round, by1: round, by2: round, by3: round };
        for (const replica of [one, other])
          expect(contentOf(await request(replica))).toEqual(expected);
      }
    });

    it('tells the last access of whoever was last', async () => {
      await request(one);
      await request(other);
      const lastMs = nowMs;
      const seen = await one.findById(id);
      expect(seen?.lastAccessedTime.getTime()).toBe(lastMs);
    });

    it('is what Redis holds when that is older than what is known, as after a failover', async () => {
      const [key = ''] = await observer.keys(`*${id.slice(8)}`);
      const backup = await observer.dumpBuffer(key);
      await request(one);
      await change(one, (session) => session.setAttribute('count', 2));
      expect(contentOf(await request(one))).toEqual({ large: LARGE, count: 2 });
      await observer.restore(key, 0, backup, 'REPLACE');
      expect(contentOf(await request(one))).toEqual({ large: LARGE, count: 1 });
    });

    it('is what Redis holds after a save that was lost and another one in its place', async () => {
      const [key = ''] = await observer.keys(`*${id.slice(8)}`);
      await request(one);
      const backup = await observer.dumpBuffer(key);
      await change(one, (session) => session.setAttribute('count', 2));
      await observer.restore(key, 0, backup, 'REPLACE');
      await change(other, (session) => session.setAttribute('count', 3));
      expect(contentOf(await request(one))).toEqual({ large: LARGE, count: 3 });
    });

    it('is gone when another replica has deleted it, and when it has expired', async () => {
      await request(one);
      await other.deleteById(id);
      expect(await request(one)).toBeUndefined();
      const session = one.createSession();
      session.setAttribute('large', LARGE);
      await session.save();
      id = session.id;
      await request(one);
      nowMs += 1_800_001;
      expect(await request(one)).toBeUndefined();
    });

    it('is not sent again while no record of the access is due, nor missed when it has changed', async () => {
      one = open({ touchIntervalSeconds: 60 });
      await request(one);
      expect(await bytesSent(() => request(one))).toBeLessThan(LARGE.length);
      await change(other, (session) => session.setAttribute('count', 2));
      expect(contentOf(await request(one))).toEqual({ large: LARGE, count: 2 });
      nowMs += 1_800_001;
      expect(await request(one)).toBeUndefined();
    });

    it('is read whole when something that gives no versions has written it, and has removed the version', async () => {
      const [key = ''] = await observer.keys(`*${id.slice(8)}`);
      await request(one);
      await observer.multi().hset(key, 'sessionAttr:count', '7').hdel(key, 'version').exec();
      expect(contentOf(await request(one))).toEqual({ large: LARGE, count: 7 });
    });
  },
);
