import { randomBytes, randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as ioredis from 'ioredis';
import { nearCache, OnSessionEvent, type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { migrateFrom } from 'nestjs-redis-session/migration';
import request from 'supertest';
import { signConnectId } from '../../../libs/redis-session/src/http/session-id/cookie-signature.js';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { type Platform, PLATFORMS, startApp } from '../../support/apps/start-app.js';
import { contextOf } from '../../support/redis/indexed-repository.js';
import { startRedisCluster } from '../../support/redis/redis-cluster.js';
import { recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { type TracedIoredis, traceIoredis } from '../../support/redis/traced-ioredis.mjs';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { eventually } from '../../support/waiting/eventually.js';

/** What subscribers of the diagnostics channel of ioredis 6 were told when a command was sent. */
const published: string[] = [];
const onCommand = (message: unknown) => void published.push(JSON.stringify(message));

let redis: RedisServer;
let traced: TracedIoredis;

beforeAll(async () => {
  traced = traceIoredis(ioredis);
  subscribe('tracing:ioredis:command:start', onCommand);
  redis = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
});

afterAll(async () => {
  unsubscribe('tracing:ioredis:command:start', onCommand);
  traced.stop();
  await redis.stop();
});

class Listener {
  @OnSessionEvent('created', 'deleted')
  note(): void {}
}

/** Creates, reads, changes, logs in and ends a session. @returns the ids that its clients knew */
async function useSessions(platform: Platform, options: RedisSessionModuleOptions, cookie = '') {
  const namespace = `traced:${randomUUID()}`;
  const app = await startApp(platform, {
    options: { redis: redis.url, namespace, ...options },
    controllers: SESSION_ROUTES.controllers,
    providers: [...SESSION_ROUTES.providers, ...(options.indexed?.eventDelivery ? [Listener] : [])],
  });
  const agent = request.agent(app.url);
  agent.jar.setCookie(cookie);
  const ids: string[] = [];
  const remember = (response: request.Response) => ids.push((response.body as { id: string }).id);
  remember(await agent.put('/attributes').send({ secret: 'diary' }));
  remember(await agent.get('/session'));
  remember(await agent.post('/id'));
  remember(await agent.put('/attributes').send({ SECURITY_CONTEXT: contextOf('alice') }));
  remember(await agent.get('/session'));
  await agent.post('/invalidate').expect(200);
  await app.close();
  expect(new Set(ids).size).toBe(2);
  return { ids, namespace };
}

/** What traces tell of {@link useSessions}. */
async function traceSessions(...setup: Parameters<typeof useSessions>) {
  traced.takeSpans();
  published.length = 0;
  const { ids, namespace } = await useSessions(...setup);
  return {
    ids,
    namespace,
    spans: JSON.stringify(traced.takeSpans()),
    messages: published.join('\n'),
  };
}

function reveals(text: string, ids: readonly string[]): string[] {
  return [...ids, 'diary', 'alice'].filter((secret) => text.includes(secret));
}

const REPOSITORIES = ['default', 'indexed'] as const;
const keys = [randomBytes(32).toString('base64')];
const indexKey = randomBytes(32).toString('base64');

const indexed = { repository: 'indexed' } as const;
const SETUPS: [string, RedisSessionModuleOptions][] = [
  ['the default repository', {}],
  ['the indexed repository', indexed],
  ['a near cache', { features: [nearCache({ maxSessions: 10 })] }],
  ['a limit of sessions', { ...indexed, indexed: { maximumSessions: 1 } }],
  ['events', { ...indexed, indexed: { eventDelivery: 'once', eventAttributes: 'all' } }],
  ['broadcast events', { ...indexed, indexed: { eventDelivery: 'broadcast' } }],
  [
    'minute buckets',
    { ...indexed, indexed: { eventDelivery: 'once', expirationStore: 'minute-buckets' } },
  ],
];

describe.each(PLATFORMS)('on %s', (platform) => {
  it.each(SETUPS)(
    'no span and no message of the diagnostics channel tells an id or a value, with %s',
    async (_, options) => {
      const { ids, namespace, spans, messages } = await traceSessions(platform, options);
      expect(spans).toContain(`evalsha ${namespace}…`);
      expect(messages).toContain(`${namespace}…`);
      expect(reveals(spans + messages, ids)).toEqual([]);
    },
  );

  it.each(REPOSITORIES)(
    'none does so when writes wait for replicas (%s repository)',
    async (repository) => {
      const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${redis.port}`] });
      const control = new ioredis.Redis(redis.url);
      const traces = await eventually(async () => (await control.wait(1, 1000)) === 1)
        .then(() => traceSessions(platform, { repository, durability: { replicas: 1 } }))
        .finally(() => Promise.all([control.quit(), replica.stop()]));
      expect(traces.spans).toContain('"wait ');
      expect(reveals(traces.spans + traces.messages, traces.ids)).toEqual([]);
    },
  );

  it.each(['share', 'move'] as const)(
    'none does so of a session that comes from express-session (phase "%s")',
    async (phase) => {
      const id = randomBytes(24).toString('base64url');
      const control = new ioredis.Redis(redis.url);
      const blob = { cookie: { originalMaxAge: null, path: '/' }, note: 'diary' };
      await control.set(`sess:${id}`, JSON.stringify(blob), 'EX', 100);
      await control.quit();
      const features = [migrateFrom({ from: 'express-session', phase, secrets: ['secret'] })];
      const cookie = `connect.sid=${encodeURIComponent(signConnectId(id, 'secret', 's:'))}`;
      const { ids, spans, messages } = await traceSessions(platform, { features }, cookie);
      expect(spans).toContain(' sess:…');
      expect(messages).toContain('"sess:…"');
      expect(reveals(spans + messages, [id, ...ids])).toEqual([]);
    },
  );
});

describe('On a Redis Cluster', () => {
  it.each(REPOSITORIES)('traces tell no id and no value (%s repository)', async (repository) => {
    const cluster = await startRedisCluster();
    const client = new ioredis.Cluster([...cluster.addresses]);
    const traces = await traceSessions('express', { redis: client, repository }).finally(() =>
      Promise.all([client.quit(), cluster.stop()]),
    );
    expect(traces.spans).toContain(`evalsha ${traces.namespace}…`);
    expect(traces.messages).toContain(`${traces.namespace}…`);
    expect(reveals(traces.spans + traces.messages, traces.ids)).toEqual([]);
  });
});

describe('MONITOR and SLOWLOG', () => {
  it.each(REPOSITORIES)(
    'tell nothing that can be used, with hashIds and encryption (%s repository)',
    async (repository) => {
      const control = new ioredis.Redis(redis.url);
      await control.config('SET', 'slowlog-log-slower-than', '0');
      const recorded = await recordCommands(redis.url);
      const encryption = { keys, indexKey };
      const { ids } = await useSessions('fastify', { repository, hashIds: true, encryption });
      const commands = JSON.stringify(await recorded.take());
      const slow = JSON.stringify(await control.call('SLOWLOG', 'GET', '-1'));
      await recorded.stop();
      await control.quit();
      expect(commands).toMatch(/"eval(sha)?"/i);
      expect(reveals(commands + slow, ids)).toEqual([]);
    },
  );
});
