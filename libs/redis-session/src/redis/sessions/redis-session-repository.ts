import {
  type ResolvedOptionsOf,
  defaultsOf,
  flagOption,
  patternOption,
  positiveOption,
} from '../../lib/option-group.js';
import {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../../session/session-change.js';
import {
  type SessionRepositoryOptions,
  repositoryOptionGroup,
} from '../../session/repository-options.js';
import { StoredSessionRepository } from '../../session/stored-session-repository.js';
import { ownTouchIntervalSeconds, type RedisClient } from '../client/redis-client.js';
import { type MapSession } from '../../session/map-session.js';
import { RedisSessionCommands } from './redis-session.commands.js';
import {
  redisSessionKeys,
  type RedisSessionKeys,
  fromHash,
  setsLargeTexts,
  toHash,
} from './redis-session.mapper.js';
import { accessedAt, expiryTimeMs } from '../../session/session-times.js';
import { RecordedAccesses } from '../../session/recorded-accesses.js';

/** The options that a {@link RedisSessionRepository} takes. */
export const redisRepositoryOptionGroup = repositoryOptionGroup.extend({
  /** Milliseconds after which a command counts as failed. Afterwards it changes nothing, except that a deletion may still happen. */
  commandTimeoutMs: positiveOption.default(2000),
  /** Prefix of all keys. */
  namespace: patternOption(/^[^\s{}]+$/, 'a string without spaces and braces').default(
    'nest:session',
  ),
  /** Whether reads, or saves of attributes, that begin together share one command. Must be false behind a proxy that spreads keys over servers. */
  sharedCommands: flagOption.default(true),
});

/** The options with their defaults. */
export interface RedisSessionRepositoryOptions
  extends SessionRepositoryOptions, ResolvedOptionsOf<typeof redisRepositoryOptionGroup> {}

/** The defaults of {@link RedisSessionRepositoryOptions}. */
export const DEFAULT_REDIS_REPOSITORY_OPTIONS = defaultsOf(
  redisRepositoryOptionGroup,
) as RedisSessionRepositoryOptions;

/**
 * Keeps each session in one Redis hash that expires with it. One command per operation; reads that begin together
 * share one:
 *
 * ```
 * findById    EVALSHA loadSessions 1 nest:session:sessions:{4fQz81Lw}r0Y…
 *             HGETALL nest:session:sessions:{4fQz81Lw}r0Y…      while no record of the access is due and the
 *                                                               session is not a large one that is known
 * save        EVALSHA createSession 1 nest:session:sessions:{4fQz81Lw}r0Y…      of a new session
 *             EVALSHA setAttributes 1 nest:session:sessions:{4fQz81Lw}r0Y…      while the access is recorded
 *             EVALSHA saveSession 1 nest:session:sessions:{4fQz81Lw}r0Y…
 *             EVALSHA saveSession 3 <stored key> <current key> <mark of the save>      with another id, or updates
 * deleteById  DEL nest:session:sessions:{4fQz81Lw}r0Y…
 * ```
 * ```
 * nest:session:sessions:{4fQz81Lw}r0Y…          hash, expires at lastAccessedTime + maxInactiveInterval
 *   creationTime         1404360000000          epoch ms
 *   lastAccessedTime     1404360000000          epoch ms, only grows
 *   maxInactiveInterval  1800                   seconds, -1 = never
 *   version              7c1e09b25f0a8d34       large sessions: another one with each change but of lastAccessedTime
 *   sessionAttr:cart     [{"sku":1}]            what the codec made of the attribute
 * ```
 *
 * Mirrors `RedisSessionRepository` of Spring Session; keys and fields have the same names.
 */
export class RedisSessionRepository extends StoredSessionRepository {
  private readonly commands: RedisSessionCommands;
  /** @internal */
  protected readonly keys: RedisSessionKeys;
  /** 0 records every access. @internal */
  protected readonly touchIntervalMs: number;
  private readonly accesses: RecordedAccesses;

  constructor(client: RedisClient, options: Partial<RedisSessionRepositoryOptions> = {}) {
    const resolved = { ...DEFAULT_REDIS_REPOSITORY_OPTIONS, ...options };
    super(resolved);
    const { absoluteTimeoutSeconds, commandTimeoutMs } = resolved;
    this.commands = new RedisSessionCommands(client, {
      absoluteTimeoutMs: absoluteTimeoutSeconds === undefined ? -1 : absoluteTimeoutSeconds * 1000,
      commandTimeoutMs,
      sharedCommands: resolved.sharedCommands,
    });
    this.keys = redisSessionKeys(resolved.namespace);
    this.touchIntervalMs = (resolved.touchIntervalSeconds ?? 0) * 1000;
    this.accesses = new RecordedAccesses(ownTouchIntervalSeconds(client, resolved));
  }

  protected override async load(
    id: string,
    accessTimeMs?: number,
  ): Promise<StoredSession | undefined> {
    if (accessTimeMs !== undefined && this.accesses.isRecorded(id, accessTimeMs))
      return this.readRecorded(id, accessTimeMs);
    const stored = await this.read(id, accessTimeMs, this.touchIntervalMs);
    if (stored) this.accesses.remember(id, stored);
    return stored;
  }

  /** No record of the access is due; a save of the session records it nevertheless. */
  private async readRecorded(id: string, accessTimeMs: number): Promise<StoredSession | undefined> {
    const { absoluteTimeoutSeconds, clock } = this.options;
    const key = this.keys.session(id);
    const stored = this.commands.isKnown(key)
      ? await this.read(id, undefined, this.touchIntervalMs)
      : fromHash(await this.commands.readSession(key));
    if (!stored) return undefined;
    if (clock() >= expiryTimeMs(stored, absoluteTimeoutSeconds))
      return this.read(id, accessTimeMs, this.touchIntervalMs);
    return accessedAt(stored, accessTimeMs);
  }

  /** Records the access at `accessTimeMs` if one is due. @internal */
  protected async read(
    id: string,
    accessTimeMs: number | undefined,
    touchIntervalMs: number,
  ): Promise<StoredSession | undefined> {
    const hash = await this.commands.loadSession({
      key: this.keys.session(id),
      nowMs: this.options.clock(),
      accessTimeMs,
      touchIntervalMs,
    });
    return fromHash(hash);
  }

  protected override async write(
    change: SessionChange,
    session?: MapSession,
  ): Promise<SaveOutcome> {
    const { storedId, id, lastAccessedTime } = change;
    const hash = toHash(change);
    const isAccessRecorded = this.accesses.isSaved(storedId, lastAccessedTime);
    const outcome = await this.commands.saveSession({
      storedKey: this.keys.session(storedId),
      currentKey: this.keys.session(id),
      markKeyOf: (saveId) => this.keys.save(id, saveId),
      hash,
      isAccessRecorded,
    });
    if (outcome.kind === 'saved' && !setsLargeTexts(hash))
      this.accesses.rememberSaved(change, session?.maxInactiveIntervalSeconds);
    return outcome;
  }

  protected override delete(id: string): Promise<void> {
    return this.commands.deleteSession(this.keys.session(id));
  }
}
