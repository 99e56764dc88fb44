import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type MapSession } from '../libs/redis-session/src/session/map-session.js';
import {
  SessionInvalidatedError,
  SessionLimitError,
} from '../libs/redis-session/src/session/session.errors.js';
import { type SessionLimitPolicy } from '../libs/redis-session/src/redis/session-limit.js';
import { contextOf, IndexedRepository, signIn } from './support/indexed-repository.js';
import { useTestRedis } from './support/test-redis.js';

const redis = useTestRedis();

function replicas(limit: number, maximumSessionsPolicy: SessionLimitPolicy): IndexedRepository[] {
  const namespace = `${redis.namespace}:${randomUUID()}`;
  const options = { namespace, maximumSessions: limit, maximumSessionsPolicy };
  return [1, 2].map(() => new IndexedRepository(redis.client, options));
}

/** Starts `count` logins of alice at the same time, each from an anonymous session, on all replicas in turn. */
async function logInAtOnce(on: IndexedRepository[], count: number) {
  const sessions: MapSession[] = [];
  for (let i = 0; i < count; i++) sessions.push(await on[i % on.length]!.open());
  for (const session of sessions) signIn(session, 'alice');
  return Promise.allSettled(sessions.map((session) => session.save()));
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

  it('leaves exactly one of 50 logins at the same time on two replicas', async () => {
    const on = replicas(1, 'expire-oldest');
    const results = await logInAtOnce(on, 50);
    expect(await on[0]!.idsOf('alice')).toHaveLength(1);
    expect(await on[0]!.entryCount('alice')).toBe(1);
    const errors = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as Error] : [],
    );
    expect(errors.filter((error) => !(error instanceof SessionInvalidatedError))).toEqual([]);
  });

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

  it('does not count a session that is gone, but waits for a login under way', async () => {
    const [test] = replicas(1, 'reject-login') as [IndexedRepository];
    const { keys } = test.store;
    const gone = await test.open('alice');
    await redis.client.del(keys.session(gone.id));
    await expect(test.open('alice')).rejects.toThrow(SessionLimitError);
    await redis.client.del(keys.admitted('principal', 'alice'));
    const next = await test.open('alice');
    expect(await test.idsOf('alice')).toEqual([next.id]);
    expect(await test.entryCount('alice')).toBe(1);
  });
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
