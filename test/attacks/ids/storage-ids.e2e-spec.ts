import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { RedisSessionModule } from 'nestjs-redis-session';
import { migrateFrom } from 'nestjs-redis-session/migration';
import { storageIdOf } from '../../../libs/redis-session/src/session/session-id.js';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES, sessionViewOf } from '../../support/apps/session-controller.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();

describe.each(PLATFORMS)('hashIds on %s', (platform) => {
  const start = useApps(platform, redis, SESSION_ROUTES);

  it.each([undefined, /./, /^.{8}=|^[\w-]+$/])(
    'accepts no storage id as a cookie, whatever sessionIdPattern says (%s)',
    async (sessionIdPattern) => {
      const { client } = await start({ hashIds: true, sessionIdPattern });
      const { id } = sessionViewOf(await client.put('/attributes').send({ n: 1 }));
      const read = (value: string) => client.get('/session').set('Cookie', `SESSION=${value}`);
      expect(sessionViewOf(await read(id))).toMatchObject({ id, attributes: { n: 1 } });
      expect(sessionViewOf(await read(storageIdOf(id)))).toMatchObject({
        isNew: true,
        attributes: {},
      });
    },
  );
});

describe('hashIds at start', () => {
  const forRoot = (options: object) => () =>
    RedisSessionModule.forRoot({ redis: 'redis://localhost', hashIds: true, ...options });

  it.each([
    ['UUIDs, of which 92 random bits are left', randomUUID],
    [
      'ids that begin with all their random bits',
      () => `${randomUUID().slice(0, 8)}-always-the-same`,
    ],
    ['long numbers with 100 bits', () => `12345678${randomBytes(30).join('').slice(0, 30)}`],
  ])('refuses a generator of %s', (_what, sessionIdGenerator) => {
    expect(forRoot({ sessionIdGenerator })).toThrow('at least 128 random bits');
    expect(forRoot({ sessionIdGenerator, hashIds: false })).not.toThrow();
  });

  it('takes a generator of 128 bits in hexadecimal after the first 8 characters', () => {
    expect(forRoot({ sessionIdGenerator: () => randomBytes(20).toString('hex') })).not.toThrow();
  });

  it('is refused with migrateFrom(), which keeps ids in Redis', () => {
    const features = [migrateFrom({ from: 'express-session', phase: 'move', secrets: ['secret'] })];
    expect(forRoot({ features })).toThrow(
      'hashIds must be left out as long as there is migrateFrom()',
    );
  });

  it('refuses a key that is none, without showing it', () => {
    const start = forRoot({ encryption: { keys: ['too short'] } });
    expect(start).toThrow('encryption.keys must be a list of keys of 32 random bytes');
    expect(start).not.toThrow('too short');
  });
});
