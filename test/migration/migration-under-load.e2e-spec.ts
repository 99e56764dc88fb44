import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type SessionMigration, migrateFrom } from 'nestjs-redis-session/migration';
import { startOnConnectRedis } from '../sample-app/setup/connect-redis.js';
import { startOnRedisSession } from '../sample-app/setup/redis-session.js';
import { startSessionWriter } from '../support/apps/express-session-writer.js';
import {
  type Pod,
  PODS,
  type RollingFleet,
  withRollingFleet,
} from '../support/faults/rolling-fleet.js';

Logger.overrideLogger(false);

const SECRET = 'a secret of the application that was there before';

const LIBRARIES = [
  { from: 'express-session', platform: 'express', sessions: 160 },
  { from: '@fastify/session', platform: 'fastify', sessions: 80 },
] as const;

/** Stores the sessions of the clients without the application, which is much faster. */
async function writeSessions(fleet: RollingFleet, keyPrefix: string): Promise<void> {
  const redisUrl = fleet.redis.url;
  const writer = await startSessionWriter({ redisUrl, keyPrefix, secret: SECRET });
  await fleet.forAll(async ({ client, item, name }) => {
    const passport = { user: name === 'kim' ? 1 : 0 };
    const attributes = JSON.stringify({ passport, cart: { items: [item] } });
    client.url = writer.url;
    await client.get(`/?${encodeURIComponent(attributes)}`);
    client.url = fleet.url;
  });
  await writer.close();
}

it.concurrent.each(LIBRARIES)(
  '$sessions sessions of $from survive that two replicas are switched one after the other while their clients work',
  async ({ from, platform, sessions }) => {
    const keyPrefix = `${randomUUID()}:`;
    const migrations: SessionMigration[] = [];
    await withRollingFleet({ sessions, lanes: 16, requestsPerStage: 100 }, async (fleet) => {
      const redisUrl = fleet.redis.url;
      const startBefore = (pod: Pod) =>
        fleet.replace(pod, (place) =>
          startOnConnectRedis(from, { redisUrl, keyPrefix, secret: SECRET, ...place }),
        );
      const switchTo = (phase: 'share' | 'move', pod: Pod) =>
        fleet.replace(pod, (place) => {
          const migration = migrateFrom({ from, secrets: [SECRET], keyPrefix, phase });
          migrations.push(migration);
          const options = { redis: redisUrl, features: [migration] };
          return startOnRedisSession({ options, platform, ...place });
        });
      await Promise.all(PODS.map(startBefore));
      await (from === 'express-session'
        ? writeSessions(fleet, keyPrefix)
        : fleet.forAll((user) => fleet.logIn(user)));

      const phases = ['share', 'move'] as const;
      await fleet.changeUnderLoad(
        phases.flatMap((phase) => PODS.map((pod) => () => switchTo(phase, pod))),
      );

      await fleet.forAll(async ({ client, item, name, views }) => {
        const { text } = await client.get('/stored');
        const { json } = JSON.parse(text) as { json: object };
        const passport = { user: name === 'kim' ? 1 : 0 };
        expect(json).toMatchObject({
          passport,
          cart: { items: [item] },
          ...(views > 0 && { views }),
        });
        expect(await client.cookieNames()).toEqual(['SESSION']);
      });
      const moved = migrations.reduce((sum, { progress }) => sum + progress.movedCount, 0);
      expect(moved).toBe(sessions);
      const client = new Redis(redisUrl);
      const keys = await client.keys('nest:session:sessions:*');
      await client.quit();
      expect(keys).toHaveLength(sessions);
    });
  },
  240_000,
);
