import { type INestApplication } from '@nestjs/common';
import { afterEach } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { createReplica, type ReplicaParts } from './replica.js';

export const PLATFORMS = ['express', 'fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** Parts of an application whose sessions are in the Redis of this run. */
export type AppParts = Omit<ReplicaParts, 'options'> & {
  readonly options?: Partial<ReplicaParts['options']>;
  /** Called before the application listens, as main.ts would. */
  readonly configure?: (app: INestApplication) => void;
};

/** Starts applications, and closes them after each test. */
export class AppStarter {
  readonly namespace = `test:${randomUUID()}`;
  private readonly apps: INestApplication[] = [];

  async start(platform: Platform, { options, configure, ...parts }: AppParts): Promise<string> {
    const redis = process.env['TEST_REDIS_URL'] ?? '';
    const store = options?.store === 'memory' ? {} : { redis };
    const app = await createReplica(platform, {
      ...parts,
      options: { ...store, namespace: this.namespace, ...options },
    });
    this.apps.push(app);
    configure?.(app);
    await app.listen(0, '127.0.0.1');
    return (await app.getUrl()).replace('[::1]', '127.0.0.1');
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.apps.splice(0).map((app) => app.close()));
    const client = new Redis(process.env['TEST_REDIS_URL'] ?? '');
    const keys = await client.keys(`${this.namespace}:*`);
    if (keys.length > 0) await client.del(...keys);
    await client.quit();
  }
}

export function useApps(): AppStarter {
  const starter = new AppStarter();
  afterEach(() => starter.closeAll());
  return starter;
}
