import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { replaceBlob } from '../../../libs/redis-session/src/redis/lua/scripts.generated.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
let key: string;

interface Arguments {
  readonly latestMs?: number;
  readonly seen?: string;
  readonly text?: string;
  readonly ttlMs?: number | '';
}

async function send({ seen = 'old', text = 'new', ttlMs = '', ...rest }: Arguments) {
  const { latestMs = Date.now() + 60_000 } = rest;
  return redis.client.eval(replaceBlob.lua, 1, key, latestMs, seen, text, ttlMs);
}

beforeEach(async () => {
  key = `${redis.namespace}:sess:${randomUUID()}`;
  await redis.client.set(key, 'old', 'PX', 60_000);
});

describe('replaceBlob', () => {
  it('answers 1 when it has replaced the text, which lives as long as the old one', async () => {
    expect(await send({})).toEqual([1, expect.any(Number)]);
    expect(await redis.client.get(key)).toBe('new');
    expect(await redis.client.pttl(key)).toBeGreaterThan(50_000);
    expect(await redis.client.pttl(key)).toBeLessThanOrEqual(60_000);
  });

  it('gives it the time to live that it is told', async () => {
    await send({ ttlMs: 500_000 });
    expect(await redis.client.pttl(key)).toBeGreaterThan(400_000);
  });

  it('lets live for ever what has done so', async () => {
    await redis.client.persist(key);
    await send({});
    expect(await redis.client.pttl(key)).toBe(-1);
  });

  it('answers 1 when this was done before', async () => {
    await send({});
    expect(await send({})).toEqual([1, expect.any(Number)]);
    await send({ seen: 'new', text: '' });
    expect(await send({ seen: 'new', text: '' })).toEqual([1, expect.any(Number)]);
    expect(await redis.client.exists(key)).toBe(0);
  });

  it('makes one where there was none', async () => {
    await redis.client.del(key);
    expect(await send({ seen: '', ttlMs: 1000 })).toEqual([1, expect.any(Number)]);
    expect(await redis.client.get(key)).toBe('new');
  });

  it.each([{ seen: 'older' }, { seen: '' }, { seen: 'older', text: '' }])(
    'answers -1 and writes nothing when another one has changed it: %j',
    async (given) => {
      expect(await send({ ...given, ttlMs: 500_000 })).toEqual([-1, expect.any(Number)]);
      expect(await redis.client.get(key)).toBe('old');
      expect(await redis.client.pttl(key)).toBeLessThanOrEqual(60_000);
    },
  );

  it('answers -1 and brings nothing back that was deleted', async () => {
    await redis.client.del(key);
    expect(await send({})).toEqual([-1, expect.any(Number)]);
    expect(await redis.client.exists(key)).toBe(0);
  });

  it('answers -2 and writes nothing when it is too late', async () => {
    expect(await send({ latestMs: Date.now() - 1000 })).toEqual([-2, expect.any(Number)]);
    expect(await redis.client.get(key)).toBe('old');
  });
});
