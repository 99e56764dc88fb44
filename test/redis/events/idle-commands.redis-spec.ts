import { expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { OnceEventSource } from '../../../libs/redis-session/src/redis/events/once-event-source.js';
import { MinuteBucketExpirationStore } from '../../../libs/redis-session/src/redis/expiration/minute-bucket-expiration-store.js';
import { jsonSessionCodec } from '../../../libs/redis-session/src/session/attributes/codec.js';
import { type RedisIndexedSessionRepositoryOptions } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.options.js';
import { IndexedRepository } from '../../support/redis/indexed-repository.js';
import { recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { type Platform, startApp } from '../../support/apps/start-app.js';

const SECONDS = 10;
const PER_SECOND = 5;
/** Until a replica has come to rest, and for one window of it. */
const TIMEOUT_MS = 90_000;
/** An event is heard of within half a second. The last look may fall behind the end. */
const LOOKS = { atLeast: 2 * SECONDS - 1, atMost: 2.2 * SECONDS };

/** An application on a Redis of its own, so that several come to rest at the same time. */
async function whileIdle(
  platform: Platform,
  options: RedisSessionModuleOptions,
  use: (commandsOfWindow: () => Promise<string[]>) => Promise<void>,
): Promise<void> {
  const redis = await startRedis();
  const recorded = await recordCommands(redis.url);
  const replica = await startApp(platform, {
    options: { ...options, redis: redis.url, repository: 'indexed' },
  });
  /** The names of what is sent within {@link SECONDS} seconds. */
  const commandsOfWindow = async () => {
    await recorded.take();
    await delay(SECONDS * 1000);
    return (await recorded.take()).map(([name = '']) => name.toLowerCase());
  };
  try {
    await use(commandsOfWindow);
  } finally {
    await replica.close();
    await recorded.stop();
    await redis.stop();
  }
}

const IN_BUCKETS = { expirationStore: 'minute-buckets' } as const;

it.concurrent.each([
  ['the worker alone', { eventDelivery: 'none' }, false, 1],
  ['events for one replica', { eventDelivery: 'once' }, false, 3],
  ['events for every replica', { eventDelivery: 'broadcast' }, false, 3],
  ['events and closed sockets', { eventDelivery: 'once' }, true, PER_SECOND],
  ['minute buckets and all this', { eventDelivery: 'once', ...IN_BUCKETS }, true, PER_SECOND],
] as const)(
  'a replica with %s comes to rest, and then sends few commands',
  (_, indexed, closeWithSession, perSecond) =>
    whileIdle(
      'fastify',
      { indexed, webSockets: { closeWithSession } },
      async (commandsOfWindow) => {
        const limit = perSecond * SECONDS;
        while ((await commandsOfWindow()).length > limit);

        const { length: count } = await commandsOfWindow();
        expect(count).toBeGreaterThan(0);
        expect(count).toBeLessThanOrEqual(limit);
      },
    ),
  TIMEOUT_MS,
);

it.concurrent.each([
  ['once', 'xreadgroup'],
  ['broadcast', 'xread'],
] as const)(
  "an idle replica looks for events of delivery '%s' twice a second",
  (eventDelivery, command) =>
    whileIdle('express', { indexed: { eventDelivery } }, async (commandsOfWindow) => {
      const looks = async () => (await commandsOfWindow()).filter((name) => name === command);
      // Other programs may keep this one from running during a window, and not for ever.
      let count: number;
      do count = (await looks()).length;
      while (count < LOOKS.atLeast);
      expect(count).toBeLessThanOrEqual(LOOKS.atMost);
    }),
  TIMEOUT_MS,
);

/** What `work` sends to an empty Redis when it does it again: names in lower case. */
async function sentBy(
  options: Partial<RedisIndexedSessionRepositoryOptions>,
  workOf: (repository: IndexedRepository) => () => Promise<unknown>,
): Promise<string[]> {
  const redis = await startRedis();
  const client = new Redis(redis.url);
  const work = workOf(new IndexedRepository(client, { namespace: 'test', ...options }));
  await work();
  const recorded = await recordCommands(redis.url);
  try {
    await work();
    return (await recorded.take()).map(([name = '']) => name.toLowerCase());
  } finally {
    await recorded.stop();
    client.disconnect();
    await redis.stop();
  }
}

it.concurrent('a look for events that others have not handled is one command', async () => {
  const sent = await sentBy({ eventDelivery: 'once' }, ({ client, store: { keys } }) => {
    const logger = { warn: () => undefined, error: () => undefined };
    const handling = { handler: () => undefined, handOnAfterMs: 0, replicaName: 'a' };
    const input = { client, codec: jsonSessionCodec, commandTimeoutMs: 2000, keys, logger };
    const source = new OnceEventSource({ ...input, ...handling });
    return () => source.poll();
  });
  expect(sent).toEqual(['evalsha', 'xreadgroup', 'xreadgroup']);
});

it.concurrent('a look at six minute buckets is two commands', async () => {
  const sent = await sentBy(IN_BUCKETS, ({ store: { expiration } }) => () => {
    if (!(expiration instanceof MinuteBucketExpirationStore)) throw new Error('no minute buckets');
    return expiration.cleanUp();
  });
  expect(sent).toEqual(['sunion', 'del']);
});
