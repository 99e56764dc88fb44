import { expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { OnceEventSource } from '../../../libs/redis-session/src/redis/events/once-event-source.js';
import { MinuteBucketExpirationStore } from '../../../libs/redis-session/src/redis/expiration/minute-bucket-expiration-store.js';
import { jsonSessionCodec } from '../../../libs/redis-session/src/session/attributes/codec.js';
import { type RedisIndexedSessionRepositoryOptions } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.options.js';
import { IndexedRepository } from '../../support/redis/indexed-repository.js';
import { type RecordedCommands, recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { type Platform, startApp } from '../../support/apps/start-app.js';

const SECONDS = 10;
const PER_SECOND = 5;
/** Until a replica has come to rest, and for one window of it. */
const TIMEOUT_MS = 90_000;
/** An event is heard of within half a second. The last look may fall behind the end. */
const LOOKS = { atLeast: 2 * SECONDS - 1, atMostPerSecond: 2.2 };

/** What clients have sent, as names in lower case, within a time that was measured. */
interface Window {
  readonly names: readonly string[];
  readonly seconds: number;
}

const takeNames = async (recorded: RecordedCommands): Promise<string[]> =>
  (await recorded.take()).map(([name = '']) => name.toLowerCase());

/** Records a Redis of its own, so that several come to rest at the same time. */
async function whileRecording<T>(
  use: (redisUrl: string, recorded: RecordedCommands) => Promise<T>,
): Promise<T> {
  const redis = await startRedis();
  try {
    const recorded = await recordCommands(redis.url);
    try {
      return await use(redis.url, recorded);
    } finally {
      await recorded.stop();
    }
  } finally {
    await redis.stop();
  }
}

function whileIdle(
  platform: Platform,
  options: RedisSessionModuleOptions,
  use: (nextWindow: () => Promise<Window>) => Promise<void>,
): Promise<void> {
  return whileRecording(async (redis, recorded) => {
    const replica = await startApp(platform, {
      options: { ...options, redis, repository: 'indexed' },
    });
    /** Takes {@link SECONDS} seconds, and longer while other programs keep this one from running. */
    const nextWindow = async () => {
      const startMs = performance.now();
      await recorded.take();
      await delay(SECONDS * 1000);
      const names = await takeNames(recorded);
      return { names, seconds: (performance.now() - startMs) / 1000 };
    };
    try {
      await use(nextWindow);
    } finally {
      await replica.close();
    }
  });
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
    whileIdle('fastify', { indexed, webSockets: { closeWithSession } }, async (nextWindow) => {
      const isBusy = ({ names, seconds }: Window) => names.length > perSecond * seconds;
      while (isBusy(await nextWindow()));

      const { names, seconds } = await nextWindow();
      expect(names.length).toBeGreaterThan(0);
      expect(names.length).toBeLessThanOrEqual(perSecond * seconds);
    }),
  TIMEOUT_MS,
);

it.concurrent.each([
  ['once', 'xreadgroup'],
  ['broadcast', 'xread'],
] as const)(
  "an idle replica looks for events of delivery '%s' twice a second",
  (eventDelivery, command) =>
    whileIdle('express', { indexed: { eventDelivery } }, async (nextWindow) => {
      const looksOf = ({ names }: Window) => names.filter((name) => name === command).length;
      // Other programs may keep this one from running during a window, and not for ever.
      let window: Window;
      do window = await nextWindow();
      while (looksOf(window) < LOOKS.atLeast);
      expect(looksOf(window)).toBeLessThanOrEqual(LOOKS.atMostPerSecond * window.seconds);
    }),
  TIMEOUT_MS,
);

/** What `work` sends to an empty Redis when it does it again: names in lower case. */
function sentBy(
  options: Partial<RedisIndexedSessionRepositoryOptions>,
  workOf: (repository: IndexedRepository) => () => Promise<unknown>,
): Promise<string[]> {
  return whileRecording(async (redis, recorded) => {
    const client = new Redis(redis);
    try {
      const work = workOf(new IndexedRepository(client, { namespace: 'test', ...options }));
      await work();
      await recorded.take();
      await work();
      return await takeNames(recorded);
    } finally {
      client.disconnect();
    }
  });
}

it.concurrent(
  'a look for events that others have not handled adds one command to the two looks',
  async () => {
    const sent = await sentBy({ eventDelivery: 'once' }, ({ client, store: { keys } }) => {
      const logger = { warn: () => undefined, error: () => undefined };
      const handling = { handler: () => undefined, handOnAfterMs: 0, replicaName: 'a' };
      const input = { client, codec: jsonSessionCodec, commandTimeoutMs: 2000, keys, logger };
      const source = new OnceEventSource({ ...input, ...handling });
      return () => source.poll();
    });
    expect(sent).toEqual(['evalsha', 'xreadgroup', 'xreadgroup']);
  },
);

it.concurrent('a look at six empty minute buckets is one command', async () => {
  const sent = await sentBy(IN_BUCKETS, ({ store: { expiration } }) => () => {
    if (!(expiration instanceof MinuteBucketExpirationStore)) throw new Error('no minute buckets');
    return expiration.cleanUp();
  });
  expect(sent).toEqual(['sunion']);
});
