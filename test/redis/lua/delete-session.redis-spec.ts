import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { deleteSession } from '../../../libs/redis-session/src/redis/lua/scripts.generated.js';
import { useTestRedis } from '../../support/test-redis.js';

const redis = useTestRedis();
let key: string;

async function send(latestMs: number): Promise<unknown> {
  return redis.client.eval(deleteSession.lua, deleteSession.numberOfKeys, key, latestMs);
}

beforeEach(async () => {
  key = redis.keys.session(randomUUID());
  await redis.client.hset(key, 'creationTime', '1');
  await redis.client.pexpire(key, 60_000);
});

describe('deleteSession', () => {
  it('answers 1 when it has deleted the session, and again when there is none', async () => {
    expect(await send(Date.now() + 60_000)).toEqual([1, expect.any(Number)]);
    expect(await redis.client.exists(key)).toBe(0);
    expect(await send(Date.now() + 60_000)).toEqual([1, expect.any(Number)]);
  });

  it('answers -2 and deletes nothing when it is too late', async () => {
    const expiry = await redis.client.pexpiretime(key);
    expect(await send(Date.now() - 1000)).toEqual([-2, expect.any(Number)]);
    expect((await redis.contentOf(key)).fields).toEqual({ creationTime: '1' });
    expect(await redis.client.pexpiretime(key)).toBe(expiry);
  });

  it('deletes a key of any type', async () => {
    await redis.client.set(key, 'text');
    expect(await send(Date.now() + 60_000)).toEqual([1, expect.any(Number)]);
    expect(await redis.client.exists(key)).toBe(0);
  });
});
