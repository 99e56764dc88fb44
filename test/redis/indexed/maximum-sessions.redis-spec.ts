import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { newIndexEntry } from '../../../libs/redis-session/src/redis/indexed/session-index.js';
import { type MapSession } from '../../../libs/redis-session/src/session/map-session.js';
import {
  SessionInvalidatedError,
  SessionLimitError,
} from '../../../libs/redis-session/src/session/session.errors.js';
import { SessionLimit } from '../../../libs/redis-session/src/redis/indexed/session-limit.js';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { eventually } from '../../support/waiting/eventually.js';
import { contextOf, IndexedRepository, signIn } from '../../support/redis/indexed-repository.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();

function replicas(
  limit: number,
  maximumSessionsPolicy: 'expire-oldest' | 'reject-login',
  commandTimeoutMs = 2000,
): IndexedRepository[] {
  const namespace = `${redis.namespace}:${randomUUID()}`;
  const options = { namespace, commandTimeoutMs, maximumSessions: limit, maximumSessionsPolicy };
  return [1, 2].map(() => new IndexedRepository(redis.client, options));
}

/** Starts `count` logins of alice at the same time, each from an anonymous session, on all replicas in turn. */
async function logInAtOnce(on: IndexedRepository[], count: number) {
  const sessions: MapSession[] = [];
  for (let i = 0; i < count; i++) sessions.push(await on[i % on.length]!.open());
  for (const session of sessions) signIn(session, 'alice');
  return Promise.allSettled(sessions.map((session) => session.save()));
}

/** Redis drops a session of alice for want of memory. @returns its id */
async function evict(test: IndexedRepository): Promise<string> {
  const { id } = await test.open('alice');
  await redis.client.del(test.store.keys.session(id));
  return id;
}

/** A process dies between its first command of a login of alice and the second one. */
async function leaveEntry({ nowMs, store }: IndexedRepository): Promise<void> {
  await store.index.add('dead', newIndexEntry('principal', 'alice'), nowMs + 1_800_000);
}

const isRefusal = (result: PromiseSettledResult<void>) =>
  result.status === 'rejected' && result.reason instanceof SessionLimitError;

describe('maximumSessions', () => {
  it('defaults to no limit', async () => {
    const test = new IndexedRepository(redis.client, {
      namespace: `${redis.namespace}:${randomUUID()}`,
    });
    for (let i = 0; i < 5; i++) await test.open('alice');
    expect(await test.idsOf('alice')).toHaveLength(5);
  });

  it('may depend on the user', async () => {
    const test = new IndexedRepository(redis.client, {
      namespace: `${redis.namespace}:${randomUUID()}`,
      maximumSessions: (session) => {
        const context = session.getAttribute<{ authentication: { name: string } }>(
          'SECURITY_CONTEXT',
        );
        return context?.authentication.name === 'admin' ? 1 : -1;
      },
    });
    for (const name of ['admin', 'admin', 'alice', 'alice']) await test.open(name);
    expect(await test.idsOf('admin')).toHaveLength(1);
    expect(await test.idsOf('alice')).toHaveLength(2);
  });

  it('does not count what is no login', async () => {
    const [test] = replicas(1, 'reject-login') as [IndexedRepository];
    const session = await test.open('alice');
    session.changeSessionId();
    await session.save();
    session.setAttribute('SECURITY_CONTEXT', contextOf('alice'));
    session.setAttribute('a', 2);
    await session.save();
    signIn(session, 'alice');
    await session.save();
    expect(await test.idsOf('alice')).toEqual([session.id]);
  });
});

describe("'expire-oldest'", () => {
  it('ends the oldest session, and its client is told why', async () => {
    const [test] = replicas(2, 'expire-oldest') as [IndexedRepository];
    const sessions = [];
    for (let i = 0; i < 3; i++) {
      sessions.push(await test.open('alice'));
      test.pass(1);
    }
    const [first, second, third] = sessions as [MapSession, MapSession, MapSession];
    expect(await test.idsOf('alice')).toEqual([second.id, third.id].sort());
    expect(await test.repository.findById(first.id)).toBeUndefined();
    expect(await test.repository.takeEndReason(first.id)).toBe('maximum-sessions');
    expect(await test.entryCount('alice')).toBe(2);
  });

  it('ends the one that was used longest ago, whenever it began and however long it may last', async () => {
    const [test] = replicas(3, 'expire-oldest') as [IndexedRepository];
    const [used, remembered, third] = [
      await test.open('alice'),
      await test.open('alice'),
      await test.open('alice'),
    ];
    remembered.maxInactiveIntervalSeconds = 14 * 86_400;
    await remembered.save();
    test.pass(10);
    for (const { id } of [used, third])
      await test.repository.findById(id, { accessTimeMs: test.nowMs });
    const fourth = await test.open('alice');
    expect(await test.idsOf('alice')).toEqual([used.id, third.id, fourth.id].sort());
    expect(await test.repository.takeEndReason(remembered.id)).toBe('maximum-sessions');
  });

  it.each([
    ['evicted', (test: IndexedRepository) => evict(test)],
    ['never stored', (test: IndexedRepository) => leaveEntry(test)],
  ])('ends nobody for a session that was %s', async (_, leaveDeadEntry) => {
    const [test] = replicas(2, 'expire-oldest', 100) as [IndexedRepository];
    const first = await test.open('alice');
    test.pass(1);
    await leaveDeadEntry(test);
    test.pass(1);
    const second = await test.open('alice');
    expect(await test.idsOf('alice')).toEqual([first.id, second.id].sort());
    await eventually(async () => (await test.entryCount('alice')) === 2);
  });

  it.each([1, 3])(
    'leaves exactly %i of 50 logins at the same time on two replicas',
    async (limit) => {
      const on = replicas(limit, 'expire-oldest');
      const results = await logInAtOnce(on, 50);
      expect(await on[0]!.idsOf('alice')).toHaveLength(limit);
      expect(await on[0]!.entryCount('alice')).toBe(limit);
      const errors = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as Error] : [],
      );
      expect(errors.filter((error) => !(error instanceof SessionInvalidatedError))).toEqual([]);
    },
  );

  it('refuses a login that a newer one has overtaken before it was stored', async () => {
    const [test] = replicas(1, 'expire-oldest') as [IndexedRepository];
    const early = await test.open();
    signIn(early, 'alice');
    await test.repository.endById(early.id, 'maximum-sessions');
    await expect(early.save()).rejects.toThrow(SessionInvalidatedError);
    expect(await test.entryCount('alice')).toBe(0);
  });
});

describe("'reject-login'", () => {
  it('refuses one more, writes nothing of it, and admits it after a logout', async () => {
    const [test] = replicas(1, 'reject-login') as [IndexedRepository];
    const first = await test.open('alice');
    const visitor = await test.open();
    const visitorId = visitor.id;
    signIn(visitor, 'alice');
    await expect(visitor.save()).rejects.toThrow(SessionLimitError);
    expect((await test.read(visitorId)).getAttribute('SECURITY_CONTEXT')).toBeUndefined();
    expect(await test.idsOf('alice')).toEqual([first.id]);

    await first.invalidate();
    await visitor.save();
    expect(await test.idsOf('alice')).toEqual([visitor.id]);
  });

  it('admits exactly one of 50 logins at the same time on two replicas', async () => {
    const on = replicas(1, 'reject-login');
    const results = await logInAtOnce(on, 50);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(results.filter(isRefusal)).toHaveLength(49);
    expect(await on[0]!.idsOf('alice')).toHaveLength(1);
    expect(await on[0]!.entryCount('alice')).toBe(1);
  });

  it('does not count a session that is gone, but one whose login is under way', async () => {
    const [test] = replicas(1, 'reject-login') as [IndexedRepository];
    const gone = await evict(test);
    const next = await test.open('alice');
    expect(await test.idsOf('alice')).toEqual([next.id]);
    expect(next.id).not.toBe(gone);

    await next.invalidate();
    const { client } = redis;
    const limit = new SessionLimit({
      ...{ client, commandTimeoutMs: 2000, keys: test.store.keys, policy: 'reject-login' },
      ...{ findLastAccess: () => Promise.resolve(undefined), onDead: () => undefined },
    });
    const entry = newIndexEntry('principal', 'alice');
    const expiryMs = test.nowMs + 1_800_000;
    await limit.admit({ entry, expiryMs, id: 'early', storedId: 'early', limit: 1 });
    await expect(test.open('alice')).rejects.toThrow(SessionLimitError);
  });
});

describe('a login that Redis holds up until it has failed', () => {
  let server: RedisServer;
  let direct: Redis;
  let proxy: TcpProxy;
  let slow: Redis;

  beforeEach(async () => {
    server = await startRedis();
    direct = new Redis(server.url);
    proxy = await startTcpProxy({ targetPort: server.port });
    slow = new Redis(proxy.port, { enableAutoPipelining: true });
  });

  afterEach(async () => {
    slow.disconnect();
    await proxy.refuse();
    await direct.quit();
    await server.stop();
  });

  it.each([2, -1])('leaves no entry in the index, with a limit of %i', async (maximumSessions) => {
    const options = { namespace: 'late', commandTimeoutMs: 1000, maximumSessions };
    const test = new IndexedRepository(slow, options);
    const first = await test.open('alice');
    proxy.pause();
    await expect(test.open('alice')).rejects.toThrow('no answer within 1000 ms');
    expect(proxy.isHolding('alice')).toBe(true);
    proxy.resume();
    // What is sent later is done later.
    await slow.ping();
    expect(await direct.zcard(test.store.keys.index('principal', 'alice'))).toBe(1);
    const second = await test.open('alice');
    expect(await test.idsOf('alice')).toEqual([first.id, second.id].sort());
  });

  it.each([2, -1])(
    'takes back the entry of a save that failed, with a limit of %i',
    async (limit) => {
      const options = { namespace: 'late', commandTimeoutMs: 1000, maximumSessions: limit };
      const test = new IndexedRepository(slow, options);
      const first = await test.open('alice');
      const session = test.repository.createSession();
      signIn(session, 'alice');
      // The index is written, and then the hash cannot be.
      await direct.call('ACL', 'SETUSER', 'default', '-hset');
      await expect(session.save()).rejects.toThrow('run');
      await direct.call('ACL', 'SETUSER', 'default', '+hset');
      const key = test.store.keys.index('principal', 'alice');
      await eventually(async () => (await direct.zcard(key)) === 1);
      expect(await test.idsOf('alice')).toEqual([first.id]);
    },
  );
});

describe('endByPrincipalName', () => {
  it('ends all sessions of the user but one, and none of others', async () => {
    const test = new IndexedRepository(redis.client, {
      namespace: `${redis.namespace}:${randomUUID()}`,
    });
    const own = await test.open('alice');
    for (let i = 0; i < 3; i++) await test.open('alice');
    const other = await test.open('bob');
    expect(await test.repository.endByPrincipalName('alice', 'signed-out', own.id)).toBe(3);
    expect(await test.idsOf('alice')).toEqual([own.id]);
    expect(await test.idsOf('bob')).toEqual([other.id]);
    expect(await test.repository.endByPrincipalName('alice', 'signed-out')).toBe(1);
    expect(await test.entryCount('alice')).toBe(0);
  });
});
