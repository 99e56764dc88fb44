import { type Redis } from 'ioredis';
import {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../../session/session-change.js';
import { expiryTimeMs } from '../../session/session-times.js';
import { type MapSession } from '../../session/map-session.js';
import { type FindSessionOptions } from '../../session/session-repository.js';
import { BackgroundLoop } from '../../lib/background-loop.js';
import {
  DEFAULT_REDIS_REPOSITORY_OPTIONS,
  RedisSessionRepository,
  type RedisSessionRepositoryOptions,
} from '../sessions/redis-session-repository.js';
import { InvalidationFeed } from './invalidation-feed.js';
import { NearCache, TouchQueue } from './near-cache.js';

/** What a {@link NearCacheSessionRepository} is told beside {@link RedisSessionRepositoryOptions}. */
export interface NearCacheInput {
  /** Ms between two batches of last accesses, and at least between two records of one session. */
  readonly flushIntervalMs: number;
  /** How many sessions are kept at most. */
  readonly maxSessions: number;
}

/** A session is kept only if it lives this many flush intervals without an access: records that come late do not end it. */
export const LIFETIME_IN_FLUSHES = 4;

/**
 * Keeps sessions in the process that it has read for a request, until Redis reports that they have changed: a request
 * then costs no command. Their last accesses are recorded in batches, later.
 *
 * Reads that record no access are those that want to know what is stored: they always ask Redis. Without a connection
 * over which changes are reported for certain, all reads do.
 */
export class NearCacheSessionRepository extends RedisSessionRepository {
  private readonly cache: NearCache;
  private readonly feed: InvalidationFeed;
  private readonly flushing: BackgroundLoop;
  private readonly keyPrefix: string;
  private readonly recordIntervalMs: number;
  private readonly touches = new TouchQueue((id, timeMs) => this.touch(id, timeMs));

  constructor(
    client: Redis,
    options: Partial<RedisSessionRepositoryOptions>,
    private readonly input: NearCacheInput,
  ) {
    super(client, options);
    const { flushIntervalMs, maxSessions } = input;
    const { commandTimeoutMs } = { ...DEFAULT_REDIS_REPOSITORY_OPTIONS, ...options };
    const { logger } = this.options;
    this.recordIntervalMs = Math.max(this.touchIntervalMs, flushIntervalMs);
    this.keyPrefix = client.options.keyPrefix ?? '';
    this.cache = new NearCache(maxSessions);
    this.feed = new InvalidationFeed({
      client,
      commandTimeoutMs,
      logger,
      prefix: this.keyPrefix + this.keys.sessionPrefix,
      onInvalidated: (key) => (key === undefined ? this.cache.clear() : this.cache.drop(key)),
    });
    this.flushing = new BackgroundLoop({
      action: 'record the last accesses of sessions',
      logger,
      pauseMs: () => flushIntervalMs,
      turn: () => this.touches.flush(),
    });
  }

  /** Whether sessions are kept at the moment. */
  get isKeeping(): boolean {
    return this.feed.isTrusted;
  }

  /** Begins to keep sessions. @throws SessionOptionError when this Redis cannot report changes */
  async start(): Promise<void> {
    await this.feed.start();
    this.flushing.start();
  }

  /** Keeps none any more, and records the accesses that are waiting. */
  async stop(): Promise<void> {
    await this.feed.stop();
    await this.flushing.stop();
    await this.touches.flush();
    if (this.touches.size > 0) {
      const count = this.touches.size;
      this.options.logger.warn(
        `Cannot record the last accesses of ${count} sessions: Redis failed. They may end earlier; check that Redis is reachable.`,
      );
    }
  }

  findKept(id: string, accessTimeMs: number): MapSession | undefined {
    if (!this.feed.isTrusted) return undefined;
    for (const storedId of this.atRest.idsToRead(id)) {
      const kept = this.cache.get(this.keyOf(storedId));
      if (!kept || this.options.clock() >= this.endOf(kept)) continue;
      return this.toSession(id, false, this.accessed(storedId, kept, accessTimeMs), storedId);
    }
    return undefined;
  }

  override async findById(
    id: string,
    options: FindSessionOptions = {},
  ): Promise<MapSession | undefined> {
    const { accessTimeMs } = options;
    const kept = accessTimeMs === undefined ? undefined : this.findKept(id, accessTimeMs);
    return kept ?? super.findById(id, options);
  }

  protected override async load(
    id: string,
    accessTimeMs?: number,
  ): Promise<StoredSession | undefined> {
    if (!this.feed.isTrusted) return super.load(id, accessTimeMs);
    const stored = await this.loadToKeep(id, accessTimeMs);
    return stored && !this.isLasting(stored) ? super.load(id, accessTimeMs) : stored;
  }

  protected override async write(change: SessionChange, session: MapSession): Promise<SaveOutcome> {
    this.touches.remove(change.storedId);
    try {
      return await super.write(change, session);
    } finally {
      this.cache.drop(this.keyOf(change.storedId));
      this.cache.drop(this.keyOf(change.id));
    }
  }

  protected override async delete(id: string): Promise<void> {
    this.touches.remove(id);
    try {
      await super.delete(id);
    } finally {
      this.cache.drop(this.keyOf(id));
    }
  }

  private async loadToKeep(id: string, accessTimeMs?: number): Promise<StoredSession | undefined> {
    const key = this.keyOf(id);
    const read = this.cache.beginRead(key);
    let stored: StoredSession | undefined;
    try {
      stored = await this.read(id, accessTimeMs, this.recordIntervalMs);
    } finally {
      if (stored && this.isLasting(stored)) this.cache.keep(key, read, stored);
      else this.cache.drop(key);
    }
    return stored;
  }

  private accessed(id: string, kept: StoredSession, accessTimeMs: number): StoredSession {
    if (accessTimeMs - kept.lastAccessedTime < this.recordIntervalMs) return kept;
    const accessed = { ...kept, lastAccessedTime: accessTimeMs };
    this.cache.set(this.keyOf(id), accessed);
    this.touches.add(id, accessTimeMs);
    return accessed;
  }

  /** A save that changes nothing but the last access: a session that has ended stays so. */
  private async touch(id: string, accessTimeMs: number): Promise<void> {
    await super.write({
      storedId: id,
      id,
      isNew: false,
      creationTime: 0,
      lastAccessedTime: accessTimeMs,
      maxInactiveInterval: undefined,
      attributes: new Map(),
    });
  }

  /** Of others, each access is recorded at once. */
  private isLasting({ maxInactiveInterval }: StoredSession): boolean {
    const leastMs = LIFETIME_IN_FLUSHES * this.input.flushIntervalMs;
    return maxInactiveInterval < 0 || maxInactiveInterval * 1000 >= leastMs;
  }

  /** Epoch ms. */
  private endOf(stored: StoredSession): number {
    return expiryTimeMs(stored, this.options.absoluteTimeoutSeconds);
  }

  private keyOf(id: string): string {
    return this.keyPrefix + this.keys.session(id);
  }
}
