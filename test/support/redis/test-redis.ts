import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisSessionKeys } from '../../../libs/redis-session/src/redis/sessions/redis-session.mapper.js';

/** A key as it is: its fields and its remaining life in ms (-1 = for ever, -2 = no such key). */
export interface KeyContent {
  readonly fields: Record<string, string>;
  readonly ttlMs: number;
}

/** The shared Redis of the test run, seen through keys of one test file. */
export class TestRedis {
  readonly namespace = `test:${randomUUID()}`;
  readonly keys = redisSessionKeys(this.namespace);
  readonly client = new Redis(process.env['TEST_REDIS_URL'] ?? '', { lazyConnect: true });

  async contentOf(key: string): Promise<KeyContent> {
    return { fields: await this.client.hgetall(key), ttlMs: await this.client.pttl(key) };
  }

  /** All keys of the namespace. */
  allKeys(): Promise<string[]> {
    return this.client.keys(`${this.namespace}:*`);
  }

  /** Everything that Redis holds in `namespace`: names of keys, fields, members and values. */
  async dump(namespace = this.namespace): Promise<string> {
    const keys = await this.client.keys(`${namespace}:*`);
    const contents = await Promise.all(
      keys.map(async (key) => {
        const type = await this.client.type(key);
        if (type === 'hash') return this.client.hgetall(key);
        if (type === 'zset') return this.client.zrange(key, '0', '-1');
        if (type === 'stream') return this.client.xrange(key, '-', '+');
        return this.client.get(key);
      }),
    );
    return JSON.stringify([keys, contents]);
  }

  async removeKeys(): Promise<void> {
    const keys = await this.allKeys();
    if (keys.length > 0) await this.client.del(...keys);
  }
}

/** Connects before the tests of this file and removes their keys after them. */
export function useTestRedis(): TestRedis {
  const redis = new TestRedis();
  beforeAll(() => redis.client.connect());
  afterAll(async () => {
    await redis.removeKeys();
    await redis.client.quit();
  });
  return redis;
}
