import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { SessionInvalidatedError } from '../../../libs/redis-session/src/session/session.errors.js';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { contextOf, IndexedRepository, signIn } from '../../support/redis/indexed-repository.js';
import { recordCommands, type RecordedCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
let test: IndexedRepository;

beforeEach(() => {
  test = new IndexedRepository(redis.client, {
    namespace: `${redis.namespace}:${randomUUID()}`,
    indexes: { tenant: (session) => session.getAttribute<string>('tenant') },
  });
});

describe('findByPrincipalName', () => {
  it('finds all sessions of a user and those of nobody else', async () => {
    const [first, second] = [await test.open('alice'), await test.open('alice')];
    await test.open('bob');
    await test.open();
    expect(await test.idsOf('alice')).toEqual([first.id, second.id].sort());
    expect(await test.idsOf('nobody')).toEqual([]);
  });

  it('gives the sessions with their attributes', async () => {
    await test.open('alice', { cart: ['book'] });
    const { sessions } = await test.repository.findByPrincipalName('alice');
    expect(sessions[0]?.getAttribute('cart')).toEqual(['book']);
    expect(sessions[0]?.isNew).toBe(false);
  });

  it('counts as no access', async () => {
    const session = await test.open('alice');
    test.pass(60);
    await test.idsOf('alice');
    expect((await test.read(session.id)).lastAccessedTime).toEqual(session.lastAccessedTime);
  });

  it.each([
    ['colons', 'a:b::c:'],
    ['spaces', ' a b '],
    ['unicode', 'Zoë 🦊 \u0000'],
    ['braces', '}{a}{}'],
    ['1 kB', 'x'.repeat(1024)],
  ])('finds a user whose name has %s', async (_, name) => {
    const { id } = await test.open(name);
    expect(await test.idsOf(name)).toEqual([id]);
    await test.repository.deleteById(id);
    expect(await test.entryCount(name)).toBe(0);
  });

  it.each([
    { limit: 0 },
    { limit: -1 },
    { limit: 2.5 },
    { limit: Infinity },
    { offset: -1 },
    { offset: 1.5 },
  ])('refuses the page %j', async (page) => {
    await test.open('alice');
    const [[name, value] = []] = Object.entries(page);
    await expect(test.repository.findByPrincipalName('alice', page)).rejects.toThrow(
      `${name} must be an integer of at least ${name === 'limit' ? 1 : 0}, got ${value}.`,
    );
  });

  it('reads pages, and says how many there are', async () => {
    const ids = [];
    for (let i = 0; i < 5; i++) {
      ids.push((await test.open('alice')).id);
      test.pass(1);
    }
    const pages = await Promise.all(
      [0, 2, 4, 6].map((offset) =>
        test.repository.findByPrincipalName('alice', { offset, limit: 2 }),
      ),
    );
    expect(pages.map(({ sessions }) => sessions.map(({ id }) => id))).toEqual([
      [ids[4], ids[3]],
      [ids[2], ids[1]],
      [ids[0]],
      [],
    ]);
    expect(pages.map(({ total }) => total)).toEqual([5, 5, 5, 5]);
  });

  it('leaves out a session that has expired', async () => {
    const short = await test.open('alice');
    short.maxInactiveIntervalSeconds = 10;
    await short.save();
    const long = await test.open('alice');
    test.pass(11);
    expect(await test.idsOf('alice')).toEqual([long.id]);
  });

  it('leaves out a session whose key is gone', async () => {
    const { id } = await test.open('alice');
    await redis.client.del(test.store.keys.session(id));
    expect(await test.repository.findByPrincipalName('alice')).toEqual({ sessions: [], total: 0 });
  });
});

describe('findByIndex', () => {
  it('finds sessions by a value of the application', async () => {
    const { id } = await test.open('alice', { tenant: 'acme' });
    await test.open('bob', { tenant: 'other' });
    const { sessions } = await test.repository.findByIndex('tenant', 'acme');
    expect(sessions.map((session) => session.id)).toEqual([id]);
  });

  it('indexes a session of before the index at its next change', async () => {
    const old = new IndexedRepository(redis.client, {
      namespace: test.store.keys.partitions[0]!.replace(/:\{0\}$/, ''),
    });
    const { id } = await old.open('alice', { tenant: 'acme' });
    const session = await test.read(id);
    session.setAttribute('a', 2);
    await session.save();
    expect((await test.repository.findByIndex('tenant', 'acme')).total).toBe(1);
  });
});

describe('an index', () => {
  it('follows the id', async () => {
    const session = await test.open('alice');
    const previousId = session.id;
    session.changeSessionId();
    await session.save();
    expect(session.id).not.toBe(previousId);
    expect(await test.idsOf('alice')).toEqual([session.id]);
    expect(await test.entryCount('alice')).toBe(1);
  });

  it('follows the user, with and without a new id', async () => {
    const session = await test.open('alice');
    session.setAttribute('SECURITY_CONTEXT', contextOf('bob'));
    await session.save();
    expect(await test.idsOf('bob')).toEqual([session.id]);
    expect(await test.entryCount('alice')).toBe(0);
    signIn(session, 'carol');
    await session.save();
    expect(await test.idsOf('carol')).toEqual([session.id]);
    expect(await test.entryCount('bob')).toBe(0);
  });

  it('loses the session when its user is removed', async () => {
    const session = await test.open('alice');
    session.removeAttribute('SECURITY_CONTEXT');
    await session.save();
    expect(await test.entryCount('alice')).toBe(0);
    expect(await test.idsOf('alice')).toEqual([]);
  });

  it('loses the session at logout, at once, and so does Redis lose all its data', async () => {
    const session = await test.open('alice', { tenant: 'acme' });
    await session.invalidate();
    expect(await redis.client.keys(`${test.store.keys.session('').split('{')[0]!}*`)).toEqual([]);
  });

  it('ends with its last entry, an hour after it', async () => {
    const { id } = await test.open('alice');
    const key = test.store.keys.index('principal', 'alice');
    expect(await redis.client.pexpiretime(key)).toBe(test.nowMs + (1800 + 3600) * 1000);
    const session = await test.read(id);
    session.maxInactiveIntervalSeconds = -1;
    await session.save();
    expect(await redis.client.pttl(key)).toBe(-1);
    expect(await redis.client.zrange(key, '0', '-1', 'WITHSCORES')).toContain('inf');
  });

  it('drops entries that ended more than an hour ago, when it is written and when it is read', async () => {
    const key = test.store.keys.index('principal', 'alice');
    const dead = async () => redis.client.zadd(key, Date.now() - 3_700_000, 'dead:abcdef');
    await dead();
    await test.open('alice');
    expect(await test.entryCount('alice')).toBe(1);
    await dead();
    await test.idsOf('alice');
    expect(await test.entryCount('alice')).toBe(1);
  });

  it('keeps a session in use whose entry nobody has moved for long', async () => {
    const { id } = await test.open('alice');
    const key = test.store.keys.index('principal', 'alice');
    for (let minutes = 0; minutes < 60; minutes += 20) {
      test.pass(20 * 60);
      await test.repository.findById(id, { accessTimeMs: test.nowMs });
    }
    const score = async () => Number((await redis.client.zrange(key, '0', '-1', 'WITHSCORES'))[1]);
    expect(await score()).toBeGreaterThan(test.nowMs);
    expect(await test.idsOf('alice')).toEqual([id]);
  });
});

describe('when requests change the same session', () => {
  it('keeps the user that was saved last when both change it', async () => {
    const { id } = await test.open('alice');
    const [copy1, copy2] = [await test.read(id), await test.read(id)];
    copy1.setAttribute('SECURITY_CONTEXT', contextOf('bob'));
    copy2.setAttribute('SECURITY_CONTEXT', contextOf('carol'));
    await copy1.save();
    await copy2.save();
    expect([await test.entryCount('alice'), await test.entryCount('bob')]).toEqual([0, 0]);
    expect(await test.idsOf('carol')).toEqual([id]);
  });

  it('moves the user that the other one wrote to the new id', async () => {
    const { id } = await test.open('alice');
    const [copy1, copy2] = [await test.read(id), await test.read(id)];
    copy1.setAttribute('SECURITY_CONTEXT', contextOf('bob'));
    await copy1.save();
    copy2.changeSessionId();
    await copy2.save();
    expect(await test.idsOf('bob')).toEqual([copy2.id]);
    expect([await test.entryCount('alice'), await test.entryCount('bob')]).toEqual([0, 1]);
  });

  it('changes the user back while the removal of the first change is still to come', async () => {
    const session = await test.open('alice');
    const { index } = test.store;
    const late = [...test.store.indexing.entriesOf(session).values()][0]!;
    session.setAttribute('SECURITY_CONTEXT', contextOf('bob'));
    await session.save();
    session.setAttribute('SECURITY_CONTEXT', contextOf('alice'));
    await session.save();
    await index.remove(session.id, late);
    expect(await test.idsOf('alice')).toEqual([session.id]);
  });

  it('leaves nothing in the index when a login comes after the logout', async () => {
    const { id } = await test.open();
    const login = await test.read(id);
    signIn(login, 'alice');
    await test.repository.deleteById(id);
    await expect(login.save()).rejects.toThrow(SessionInvalidatedError);
    expect(await test.entryCount('alice')).toBe(0);
  });

  it('refuses an id change whose session was deleted, and finds neither id', async () => {
    const { id } = await test.open('alice');
    const copy = await test.read(id);
    copy.changeSessionId();
    await test.repository.deleteById(id);
    await expect(copy.save()).rejects.toThrow(SessionInvalidatedError);
    expect(await test.idsOf('alice')).toEqual([]);
    expect(await test.entryCount('alice')).toBe(0);
  });

  it('lets only one of two id changes win', async () => {
    const { id } = await test.open('alice');
    const [copy1, copy2] = [await test.read(id), await test.read(id)];
    copy1.changeSessionId();
    copy2.changeSessionId();
    await copy1.save();
    await expect(copy2.save()).rejects.toThrow(SessionInvalidatedError);
    expect(await test.idsOf('alice')).toEqual([copy1.id]);
    expect(await test.entryCount('alice')).toBe(1);
  });
});

describe('cost', () => {
  let server: RedisServer;
  let client: Redis;
  let commands: RecordedCommands;
  let own: IndexedRepository;

  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.url);
    own = new IndexedRepository(client, { namespace: 'test', eventDelivery: 'once' });
    const warmUp = await own.open('alice');
    await own.read(warmUp.id);
    await warmUp.invalidate();
    commands = await recordCommands(server.url);
  });

  afterAll(async () => {
    await commands.stop();
    await client.quit();
    await server.stop();
  });

  const request = async (id: string) => {
    const session = await own.repository.findById(id, { accessTimeMs: (own.nowMs += 1000) });
    return session!;
  };

  it('is one command for a request that reads, and one more for one that changes', async () => {
    const { id } = await own.open('alice');
    await commands.take();
    await request(id);
    expect(await commands.take()).toHaveLength(1);
    const session = await request(id);
    session.setAttribute('a', 2);
    await session.save();
    expect(await commands.take()).toHaveLength(2);
  });

  it('is three commands for a login, four when the user was another one, and three for a logout', async () => {
    const { id } = await own.open();
    await commands.take();
    let session = await request(id);
    signIn(session, 'alice');
    await session.save();
    expect(await commands.take()).toHaveLength(3);
    session = await request(session.id);
    signIn(session, 'bob');
    await session.save();
    expect(await commands.take()).toHaveLength(4);
    session = await request(session.id);
    await session.invalidate();
    expect(await commands.take()).toHaveLength(3);
  });

  it('is one command and one for each 16 sessions of the page, sent together, to find sessions', async () => {
    for (let i = 0; i < 17; i++) await own.open('kim');
    await commands.take();
    await own.idsOf('kim');
    expect(await commands.take()).toHaveLength(3);
  });

  it('is one more, once, for a large session whose entries nobody has renewed', async () => {
    const { id } = await own.open('lee', { large: 'x'.repeat(5000) });
    own.pass(1500);
    await request(id);
    const replica = new IndexedRepository(client, { namespace: 'test', eventDelivery: 'once' });
    replica.nowMs = own.nowMs + 700_000;
    await commands.take();
    for (let i = 0; i < 5; i++)
      await replica.repository.findById(id, { accessTimeMs: (replica.nowMs += 1000) });
    expect(await commands.take()).toHaveLength(6);
  });
});
