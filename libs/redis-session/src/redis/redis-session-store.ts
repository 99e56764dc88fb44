import {
  type SessionIndexOptions,
  type SessionStore,
  type SessionStoreOptions,
} from '../session/session-store.js';
import { reasonOf } from '../lib/store-operation.js';
import { type StoredSessionRepository } from '../session/stored-session-repository.js';
import {
  type RedisConnection,
  closeRedisClient,
  createRedisClient,
  pingRedis,
  type RedisClient,
} from './client/redis-client.js';
import { DurableWrites, type ResolvedDurabilityOptions } from './client/durable-writes.js';
import { findEvictionPolicy } from './client/redis-server.js';
import { hideArguments } from './client/hidden-arguments.js';
import { RedisIndexedSessionRepository } from './indexed/redis-indexed-session-repository.js';
import { type RedisIndexedSessionRepositoryOptions } from './indexed/redis-indexed-session-repository.options.js';
import { RedisSessionRepository } from './sessions/redis-session-repository.js';

/** What a {@link RedisSessionStore} is told. */
export interface RedisSessionStoreOptions extends SessionStoreOptions {
  /** undefined = no write waits for replicas */
  readonly durability?: ResolvedDurabilityOptions | undefined;
  readonly indexed:
    (SessionIndexOptions & Partial<RedisIndexedSessionRepositoryOptions>) | undefined;
  readonly namespace: string;
}

/**
 * Keeps sessions in Redis. A wrong address fails the start of the application.
 *
 * The connection is closed when the application has shut down: requests that are still in flight when the shutdown
 * begins can save their sessions.
 */
export class RedisSessionStore implements SessionStore {
  readonly name = 'Redis';
  readonly client: RedisClient;
  private readonly isOwn: boolean;
  private readonly durableWrites: DurableWrites | undefined;
  private isLost = false;

  constructor(
    connection: RedisConnection,
    private readonly options: RedisSessionStoreOptions,
  ) {
    const { client, isOwn } = createRedisClient(connection, options.commandTimeoutMs);
    this.client = client;
    hideArguments(client, options.namespace);
    const { durability, namespace } = options;
    this.durableWrites = durability && new DurableWrites(client, durability);
    if (this.durableWrites) hideArguments(this.durableWrites.client, namespace);
    this.isOwn = isOwn;
    if (isOwn) this.reportConnection();
  }

  createRepository(options: RedisSessionStoreOptions): StoredSessionRepository {
    return options.indexed
      ? new RedisIndexedSessionRepository(this.client, { ...options, ...options.indexed })
      : new RedisSessionRepository(this.client, options);
  }

  async start(): Promise<void> {
    await pingRedis(this.client, this.options.commandTimeoutMs);
    await this.warnOfEviction();
  }

  async stop(): Promise<void> {
    this.durableWrites?.stop();
    if (this.isOwn) await closeRedisClient(this.client, this.options.commandTimeoutMs);
  }

  private async warnOfEviction(): Promise<void> {
    const { commandTimeoutMs, logger } = this.options;
    const policy = await findEvictionPolicy(this.client, commandTimeoutMs);
    if (policy === undefined) return;
    logger.warn(
      `Redis may drop sessions before their time: its maxmemory-policy is "${policy}". Users are then logged out early, and a user may have more sessions than allowed. Set it to "noeviction".`,
    );
  }

  /** Says once that the connection is lost and once that it is back, not once per attempt. */
  private reportConnection(): void {
    const { logger } = this.options;
    this.client.on('error', (error: Error) => {
      if (!this.isLost)
        logger.warn(
          `The connection to Redis is lost: ${reasonOf(error)}. The library connects again by itself.`,
        );
      this.isLost = true;
    });
    this.client.on('ready', () => {
      if (this.isLost) logger.warn('The connection to Redis is back.');
      this.isLost = false;
    });
  }
}
