import { afterEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { SessionLimitError } from 'nestjs-redis-session';
import {
  type IndexedSessionOptions,
  resolveIndexedSessionOptions,
} from '../../libs/redis-session/src/nest/options/redis-session.options.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { type SessionEvent } from '../../libs/redis-session/src/session/session-event.js';
import { springCodec } from '../../libs/redis-session/src/spring/spring-attributes.js';
import { SpringContext } from '../../libs/redis-session/src/spring/spring-context.js';
import { SpringIndexedSessionRepository } from '../../libs/redis-session/src/spring/spring-indexed-session-repository.js';
import { eventually } from '../support/waiting/eventually.js';
import { useTestRedis } from '../support/redis/test-redis.js';

const redis = useTestRedis();
const users = { boot: 4, authorities: undefined, factor: undefined, principal: undefined } as const;
const CONTEXT = 'sessionAttr:SPRING_SECURITY_CONTEXT';
const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A replica with a connection of its own. */
function replica(indexed: IndexedSessionOptions = {}): SpringIndexedSessionRepository {
  const client = new Redis(process.env['TEST_REDIS_URL'] ?? '');
  stops.push(() => client.quit());
  const csrf = { headerName: 'X-CSRF-TOKEN', parameter: '_csrf' };
  return new SpringIndexedSessionRepository(client, {
    ...DEFAULT_REPOSITORY_OPTIONS,
    codec: springCodec(new SpringContext(users, console), csrf),
    commandTimeoutMs: 2000,
    namespace: redis.namespace,
    sessionIdGenerator: randomUUID,
    indexed: resolveIndexedSessionOptions(indexed),
  });
}

/** Has `repository` hear of everything, and note what it is told. */
async function listen(
  repository: SpringIndexedSessionRepository,
  delivery: 'once' | 'broadcast',
): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  const handler = (event: SessionEvent) => void events.push(event);
  const source = repository.createEventSource({ delivery, handler, replicaName: randomUUID() });
  await source.start();
  stops.push(() => source.stop());
  await repository.startExpiring();
  stops.push(() => repository.stopExpiring());
  return events;
}

async function login(repository: SpringIndexedSessionRepository, name: string): Promise<string> {
  const session = repository.createSession();
  const user = { principal: { username: name }, authorities: [], kind: 'full', authenticatedAt: 1 };
  session.setAttribute('SECURITY_CONTEXT', { authentication: { name, ...user } });
  await session.save();
  return session.id;
}

function typesOf(events: readonly SessionEvent[], id: string): string[] {
  return events.filter(({ sessionId }) => sessionId === id).map(({ type }) => type);
}

describe('events of two replicas that share their sessions with Spring', () => {
  it('one of them is told of each event with "once"', async () => {
    const replicas = [replica({ eventDelivery: 'once' }), replica({ eventDelivery: 'once' })];
    const heard = await Promise.all(replicas.map((each) => listen(each, 'once')));
    const id = await login(replicas[0] as SpringIndexedSessionRepository, 'kim');
    await replicas[1]?.endById(id, 'signed-out');
    await eventually(() => Promise.resolve(typesOf(heard.flat(), id).includes('deleted')));
    expect(typesOf(heard.flat(), id)).toEqual(['created', 'deleted']);
    const [, deleted] = heard.flat().filter(({ sessionId }) => sessionId === id);
    expect(deleted).toMatchObject({ principalName: 'kim', reason: 'signed-out' });
  });

  it('both are told of each event with "broadcast"', async () => {
    const both = { eventDelivery: 'broadcast' } as const;
    const replicas = [replica(both), replica(both)];
    const heard = await Promise.all(replicas.map((each) => listen(each, 'broadcast')));
    const id = await login(replicas[0] as SpringIndexedSessionRepository, 'kim');
    await replicas[0]?.deleteById(id);
    const isHeard = (events: readonly SessionEvent[]) => typesOf(events, id).length >= 2;
    await eventually(() => Promise.resolve(heard.every(isHeard)));
    for (const events of heard) expect(typesOf(events, id)).toEqual(['created', 'deleted']);
  });

  it('a session that has expired while no replica ran is reported by the next one, once', async () => {
    const id = await login(replica(), 'kim');
    const key = `${redis.namespace}:sessions:${id}`;
    const agoMs = Date.now() - 1_860_000;
    await redis.client.hset(key, 'creationTime', agoMs, 'lastAccessedTime', agoMs);
    await redis.client.del(`${redis.namespace}:sessions:expires:${id}`);
    const minute = Math.floor((agoMs + 1_800_000 + 60_000) / 60_000) * 60_000;
    const bucket = `${redis.namespace}:expirations:${minute}`;
    await redis.client.sadd(bucket, JSON.stringify(`expires:${id}`));
    const replicas = [replica({ eventDelivery: 'once' }), replica({ eventDelivery: 'once' })];
    const heard = await Promise.all(replicas.map((each) => listen(each, 'once')));
    await eventually(() => Promise.resolve(typesOf(heard.flat(), id).length > 0));
    expect(typesOf(heard.flat(), id)).toEqual(['expired']);
    expect((await replica().findByPrincipalName('kim')).total).toBe(0);
  });
});

describe('maximumSessions with "reject-login"', () => {
  it('refuses a login beyond the limit and writes nothing, until another session has ended', async () => {
    const limited = { maximumSessions: 2, maximumSessionsPolicy: 'reject-login' } as const;
    const repository = replica(limited);
    const first = await login(repository, 'lee');
    await login(replica(limited), 'lee');
    await expect(login(repository, 'lee')).rejects.toThrow(SessionLimitError);
    expect((await repository.findByPrincipalName('lee')).total).toBe(2);
    await repository.deleteById(first);
    await login(repository, 'lee');
    expect((await repository.findByPrincipalName('lee')).total).toBe(2);
  });

  it('lets as many of 20 logins in at the same time as the limit says', async () => {
    const limited = { maximumSessions: 3, maximumSessionsPolicy: 'reject-login' } as const;
    const replicas = [replica(limited), replica(limited)];
    const logins = Array.from({ length: 20 }, (_, i) =>
      login(replicas[i % 2] as SpringIndexedSessionRepository, 'max'),
    );
    const results = await Promise.allSettled(logins);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect((await replica().findByPrincipalName('max')).total).toBe(3);
  });
});

describe('a session whose place a newer login has taken', () => {
  const MARK =
    'sessionAttr:org.springframework.session.security.SpringSessionBackedSessionInformation.EXPIRED';
  const limited = { maximumSessions: 1 } as const;
  const keyOf = (id: string) => `${redis.namespace}:sessions:${id}`;

  it('holds nothing but the mark that Spring reads', async () => {
    const id = await login(replica(limited), 'eve');
    const before = await redis.contentOf(keyOf(id));
    await login(replica(limited), 'eve');
    const { fields, ttlMs } = await redis.contentOf(keyOf(id));
    const { creationTime, maxInactiveInterval } = before.fields;
    expect({ ...fields, lastAccessedTime: '' }).toEqual({
      ...{ creationTime, maxInactiveInterval, lastAccessedTime: '' },
      ...{ [MARK]: ' true', ended: JSON.stringify(id) },
    });
    expect(ttlMs).toBeGreaterThan(1_800_000);
    expect(await replica().findById(id)).toBeUndefined();
  });

  it('is reported once, with its user and the reason', async () => {
    const repository = replica({ ...limited, eventDelivery: 'once' });
    const events = await listen(repository, 'once');
    const id = await login(repository, 'zoe');
    const later = await login(repository, 'zoe');
    await repository.deleteById(id);
    await repository.deleteById(later);
    await eventually(() => Promise.resolve(typesOf(events, later).includes('deleted')));
    expect(typesOf(events, id)).toEqual(['created', 'deleted']);
    const reported = events.filter(({ sessionId }) => sessionId === id)[1];
    expect(reported).toMatchObject({ principalName: 'zoe', reason: 'maximum-sessions' });
  });

  it('tells the reason once', async () => {
    const id = await login(replica(limited), 'ann');
    await login(replica(limited), 'ann');
    expect(await replica().takeEndReason(id)).toBe('maximum-sessions');
    expect(await replica().takeEndReason(id)).toBeUndefined();
  });

  it('counts again after a login at a Spring application without a limit, which keeps the mark', async () => {
    const id = await login(replica(limited), 'ida');
    const login2 = await login(replica(limited), 'ida');
    const context = await redis.client.hget(keyOf(login2), CONTEXT);
    const renamed = randomUUID();
    await redis.client.rename(keyOf(id), keyOf(renamed));
    await redis.client.hset(keyOf(renamed), CONTEXT, context ?? '');
    const found = await replica().findById(renamed);
    expect(found?.getAttribute('SECURITY_CONTEXT')).toMatchObject({
      authentication: { name: 'ida' },
    });
    expect(await redis.client.hexists(keyOf(renamed), MARK)).toBe(0);
  });
});
