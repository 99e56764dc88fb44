import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { type RecordedCommands, recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';

const SECONDS = 5;
/** An event is heard of within half a second. The last look may fall behind the end. */
const LOOKS = 2 * SECONDS - 1;

let redis: RedisServer;
let recorded: RecordedCommands;
let replica: StartedApp;

beforeEach(async () => {
  redis = await startRedis();
  recorded = await recordCommands(redis.url);
});

afterEach(async () => {
  await replica.close();
  await recorded.stop();
  await redis.stop();
});

it.each([
  ['the worker alone', 'none', false, 1],
  ['events for one replica', 'once', false, 3],
  ['events for every replica', 'broadcast', false, 3],
  ['events and closed sockets', 'once', true, 5],
] as const)(
  'a replica with %s comes to rest, and then sends few commands',
  async (_, eventDelivery, closeWithSession, perSecond) => {
    replica = await startApp('fastify', {
      options: {
        indexed: { eventDelivery },
        redis: redis.url,
        repository: 'indexed',
        webSockets: { closeWithSession },
      },
    });
    const countOfWindow = async () => {
      await recorded.take();
      await delay(SECONDS * 1000);
      return (await recorded.take()).length;
    };
    const limit = perSecond * SECONDS;
    while ((await countOfWindow()) > limit);

    const count = await countOfWindow();
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(limit);
  },
);

it.each([
  ['once', 'xreadgroup'],
  ['broadcast', 'xread'],
] as const)(
  "an idle replica looks for events of delivery '%s' twice a second",
  async (eventDelivery, command) => {
    replica = await startApp('express', {
      options: { indexed: { eventDelivery }, redis: redis.url, repository: 'indexed' },
    });
    const looksOfWindow = async () => {
      await recorded.take();
      await delay(SECONDS * 1000);
      return (await recorded.take()).filter(([name]) => name?.toLowerCase() === command).length;
    };
    // Other programs may keep this one from running during a window, and not for ever.
    while ((await looksOfWindow()) < LOOKS);
  },
);
