import { type RedisClient } from '../redis/client/redis-client.js';
import { accessedAt, expiryTimeMs } from '../session/session-times.js';
import { RecordedAccesses } from '../session/recorded-accesses.js';
import {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../session/session-change.js';
import { type SessionRepositoryOptions } from '../session/repository-options.js';
import { StoredSessionRepository } from '../session/stored-session-repository.js';
import { EXPIRED_ATTRIBUTE } from './spring-attributes.js';
import { springSessionKeys, type SpringSessionKeys } from './spring-session.keys.js';
import {
  ENDED_FIELD,
  type SaveSpringInput,
  SpringSessionCommands,
} from './spring-session.commands.js';
import { fromSpringHash, toSpringHash } from './spring-session.mapper.js';

/** What a {@link SpringSessionRepository} is told. */
export interface SpringRepositoryOptions extends SessionRepositoryOptions {
  readonly commandTimeoutMs: number;
  readonly namespace: string;
  /** About how many events the stream of the indexed repository holds at most. */
  readonly maxEvents?: number;
}

/**
 * Keeps sessions in the keys of Spring Session's default repository, for one Redis with Spring applications:
 *
 * ```
 * spring:session:sessions:33fdd1b6-…                  hash, expires at lastAccessedTime + maxInactiveInterval
 *   creationTime                                      1404360000000                    epoch ms
 *   lastAccessedTime                                  1404360000000                    epoch ms, only grows
 *   maxInactiveInterval                               1800                             seconds
 *   sessionAttr:SPRING_SECURITY_CONTEXT               {"@class":"…SecurityContextImpl",…}
 *   sessionAttr:cart                                  ["java.util.ArrayList",["book"]] '' = absent
 * ```
 *
 * It writes no other field, because Spring decodes all of them. A session that has ended stays for five minutes without
 * attributes, with the JSON text `ended`: a request of Spring that has read it answers, and changes nothing. Mirrors `RedisSessionRepository` of Spring Session.
 */
export class SpringSessionRepository extends StoredSessionRepository {
  protected readonly keys: SpringSessionKeys;
  protected readonly commands: SpringSessionCommands;
  private readonly accesses: RecordedAccesses;

  constructor(client: RedisClient, options: SpringRepositoryOptions, isIndexed = false) {
    super(options);
    const { commandTimeoutMs, maxEvents = 1, namespace, touchIntervalSeconds } = options;
    this.keys = springSessionKeys(namespace);
    const touchIntervalMs = (touchIntervalSeconds ?? 0) * 1000;
    const rules = { commandTimeoutMs, isIndexed, maxEvents, touchIntervalMs };
    this.commands = new SpringSessionCommands(client, this.keys, rules);
    this.accesses = new RecordedAccesses(touchIntervalSeconds);
  }

  protected override async load(
    id: string,
    accessTimeMs?: number,
  ): Promise<StoredSession | undefined> {
    if (accessTimeMs !== undefined && this.accesses.isRecorded(id, accessTimeMs)) {
      const recorded = await this.readRecorded(id, accessTimeMs);
      if (recorded) return recorded;
    }
    const outcome = await this.commands.load(id, this.options.clock(), accessTimeMs);
    const stored = outcome.kind === 'found' ? fromSpringHash(outcome.fields) : undefined;
    if (stored) this.accesses.remember(id, stored);
    return stored;
  }

  protected override write(change: SessionChange): Promise<SaveOutcome> {
    return this.commands.save(this.inputOf(change));
  }

  protected override delete(id: string): Promise<void> {
    return this.commands.end(id);
  }

  protected inputOf(change: SessionChange): SaveSpringInput {
    const { storedId, id } = change;
    return {
      ...{ storedId, id, hash: toSpringHash(change), earlierIndex: '', index: '' },
      ...{ limit: undefined, isRefusing: false, channel: '' },
    };
  }

  /** No record of the access is due. @returns undefined when the session may have ended */
  private async readRecorded(id: string, accessTimeMs: number): Promise<StoredSession | undefined> {
    const fields = await this.commands.read(id);
    if (fields.includes(ENDED_FIELD)) return undefined;
    const stored = fromSpringHash(fields);
    const isLive =
      stored && stored.maxInactiveInterval > 0 && this.options.clock() < expiryTimeMs(stored);
    if (!isLive || stored.attributes.get(EXPIRED_ATTRIBUTE) === 'true') return undefined;
    return accessedAt(stored, accessTimeMs);
  }
}
