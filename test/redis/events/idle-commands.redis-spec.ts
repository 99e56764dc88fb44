import { expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { type Platform, startApp } from '../../support/apps/start-app.js';

const SECONDS = 5;
/** An event is heard of within half a second. The last look may fall behind the end. */
const LOOKS = 2 * SECONDS - 1;

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
  ['events and closed sockets', { eventDelivery: 'once' }, true, 5],
  // The turn of a minute adds two commands for each of six buckets.
  ['minute buckets and all this', { eventDelivery: 'once', ...IN_BUCKETS }, true, 8],
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
      while ((await looks()).length < LOOKS);
    }),
);
