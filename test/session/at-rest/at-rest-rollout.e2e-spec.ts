import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { startOnRedisSession } from '../../sample-app/setup/redis-session.js';
import { type Pod, PODS, withRollingFleet } from '../../support/faults/rolling-fleet.js';

Logger.overrideLogger(false);

const keys = [randomBytes(32).toString('base64')];
const indexKey = randomBytes(32).toString('base64');

const STEPS: readonly RedisSessionModuleOptions[] = [
  {},
  { hashIds: 'read', encryption: { indexKey, keys, rollout: 'read' } },
  { hashIds: 'rename', encryption: { indexKey, keys, rollout: 'write' } },
  { hashIds: true, encryption: { indexKey, keys } },
];

/** The stored form does not depend on the platform, so a few sessions are enough on Express. */
const CROWDS = [
  { platform: 'fastify', repository: 'default', sessions: 48, requestsPerStage: 100 },
  { platform: 'fastify', repository: 'indexed', sessions: 48, requestsPerStage: 100 },
  { platform: 'express', repository: 'indexed', sessions: 24, requestsPerStage: 100 },
] as const;

it.concurrent.each(CROWDS)(
  '$sessions sessions of the $repository repository on $platform get hashed ids and encrypted attributes under load, without a logout',
  async ({ platform, repository, sessions, requestsPerStage }) => {
    await withRollingFleet({ sessions, lanes: 8, requestsPerStage }, async (fleet) => {
      const switchTo = (step: RedisSessionModuleOptions, pod: Pod) =>
        fleet.replace(pod, (place) => {
          const options = { ...step, redis: fleet.redis.url, repository };
          return startOnRedisSession({ options, platform, ...place });
        });
      const [before = {}, ...steps] = STEPS;
      await Promise.all(PODS.map((pod) => switchTo(before, pod)));
      await fleet.forAll((user) => fleet.logIn(user));

      await fleet.changeUnderLoad(
        steps.flatMap((step) => PODS.map((pod) => () => switchTo(step, pod))),
      );
      await fleet.forAll((user) => fleet.use(user));

      const client = new Redis(fleet.redis.url);
      const names = await client.keys('nest:session:*sessions:*=*');
      const fields = await Promise.all(names.map((name) => client.hvals(name)));
      await client.quit();
      expect(names).toHaveLength(sessions);
      expect(fields.flat().join()).not.toMatch(/item \d|"(?:kim|root)"/);
    });
  },
  240_000,
);
