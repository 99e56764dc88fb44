import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { closeRedisClient, createRedisClient, pingRedis } from '../redis/client/redis-client.js';
import { type RedisClient } from '../redis/sessions/redis-session.commands.js';
import { type ResolvedOptions } from './options/redis-session.options.js';
import { RESOLVED_OPTIONS } from './redis-session.tokens.js';

/** What works over the connection by itself, from the start of the application to its end. */
interface BackgroundWork {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Holds the Redis client from the start of the application to its end. A wrong address fails the start.
 *
 * It is closed in `onApplicationShutdown`: requests that are still under way when shutdown begins can save their sessions.
 */
@Injectable()
export class RedisConnection implements OnModuleInit, OnApplicationShutdown {
  /** undefined with `store: 'memory'` */
  readonly client: RedisClient | undefined;
  private readonly isOwn: boolean;
  private isLost = false;
  private readonly works: BackgroundWork[] = [];

  constructor(@Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions) {
    const { redis, commandTimeoutMs } = options;
    const opened = redis === undefined ? undefined : createRedisClient(redis, commandTimeoutMs);
    this.client = opened?.client;
    this.isOwn = opened?.isOwn ?? false;
    if (opened?.isOwn) this.reportConnection(opened.client);
  }

  /** Starts `work` once Redis is reached, and stops it before the connection is closed. */
  accompany(work: BackgroundWork): void {
    this.works.push(work);
  }

  async onModuleInit(): Promise<void> {
    if (!this.client) {
      this.warnOfMemory();
      return;
    }
    try {
      await pingRedis(this.client, this.options.commandTimeoutMs);
      for (const work of this.works) await work.start();
    } catch (error) {
      if (this.isOwn) this.client.disconnect();
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    for (const work of this.works) await work.stop();
    if (this.client && this.isOwn)
      await closeRedisClient(this.client, this.options.commandTimeoutMs);
  }

  private warnOfMemory(): void {
    if (process.env['NODE_ENV'] !== 'production') return;
    this.options.logger.error(
      'Sessions are kept in the memory of this process although NODE_ENV is "production": every restart logs everybody out, no other replica knows them, and they take memory without limit. Set store to "redis".',
    );
  }

  /** Says once that the connection is lost and once that it is back, not once per attempt. */
  private reportConnection(client: RedisClient): void {
    client.on('error', (error: Error) => {
      if (!this.isLost)
        this.options.logger.warn(`The connection to Redis is lost: ${error.message}.`);
      this.isLost = true;
    });
    client.on('ready', () => {
      if (this.isLost) this.options.logger.warn('The connection to Redis is back.');
      this.isLost = false;
    });
  }
}
