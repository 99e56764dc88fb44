import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  type SessionIdGenerator,
  generateSessionId,
} from '../../../libs/redis-session/src/session/session-id.js';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES, sessionViewOf } from '../../support/apps/session-controller.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

let count = 0;

describe.each(PLATFORMS)('Ids of an own generator, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);

  const warningsOf = async (sessionIdGenerator: SessionIdGenerator) => {
    const warned: string[] = [];
    const logger = { warn: (line: string) => warned.push(line), error: () => undefined };
    const { client } = await start({ logger, sessionIdGenerator });
    expect((await client.put('/attributes').send({ a: 1 })).status).toBe(200);
    return warned;
  };

  it.each<[string, SessionIdGenerator, bits: number]>([
    ['a UUID', randomUUID, 124],
    ['15 bytes in hexadecimal', () => randomBytes(15).toString('hex'), 120],
    ['21 characters of base64url', () => randomBytes(16).toString('base64url').slice(0, 21), 126],
    ['one letter and a lot of the same', () => `${randomUUID().slice(0, 1)}${'x'.repeat(40)}`, 4],
    ['a number that counts', () => `session-number-${String(++count % 64).padStart(8, '0')}`, 6],
  ])('are warned of at start when they can be guessed: %s', async (_, generator, bits) => {
    expect(await warningsOf(generator)).toEqual([
      `sessionIdGenerator makes ids with at most ${bits} random bits, and 128 are asked for (OWASP ASVS 5.0, 7.2.3). Leave it out, or make the ids longer.`,
    ]);
  });

  it.each<[string, SessionIdGenerator]>([
    ['16 bytes in hexadecimal', () => randomBytes(16).toString('hex')],
    ['22 characters of base64url', () => randomBytes(17).toString('base64url').slice(0, 22)],
    ['two UUIDs', () => randomUUID() + randomUUID()],
    ['the generator of the library', generateSessionId],
  ])('are not warned of when they cannot: %s', async (_, generator) => {
    expect(await warningsOf(generator)).toEqual([]);
  });

  it('are no ids that a client has made up, whatever they look like', async () => {
    const { client } = await start();
    for (const made of [generateSessionId(), 'A'.repeat(43)]) {
      const answer = await client
        .put('/attributes')
        .set('Cookie', `SESSION=${made}`)
        .send({ a: 1 });
      expect(sessionViewOf(answer).id).not.toBe(made);
      expect(await redis.client.exists(redis.keys.session(made))).toBe(0);
    }
  });
});
