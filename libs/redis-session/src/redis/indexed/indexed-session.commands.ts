import { randomUUID } from 'node:crypto';
import { storageIdOf } from '../../session/session-id.js';
import { SessionStoreError } from '../../session/session.errors.js';
import {
  type EndSessionInput,
  type EndSessionOutcome,
  type SaveIndexedInput,
  type SaveIndexedOutcome,
} from './indexed-session.operations.js';
import { type IndexedSessionKeys } from './indexed-session.keys.js';
import { INDEX_FIELD_PREFIX } from './session-index.js';
import { KnownHashes, LEAST_KNOWN_BYTES } from '../sessions/known-hashes.js';
import {
  endSession,
  loadIndexed,
  saveIndexed,
  setIndexedAttributes,
} from '../lua/scripts.generated.js';
import { type RedisClient } from '../client/redis-client.js';
import { type HashFields } from '../sessions/hash-text.js';
import { defineOnBoth, writeOver } from '../client/durable-writes.js';
import {
  changedFields,
  changesLogin,
  fromConflict,
  setsAttributesAlone,
} from '../sessions/redis-session.mapper.js';
import { SAVE, saveAttributes } from '../sessions/redis-session.commands.js';
import { SessionReads } from '../sessions/session-reads.js';
import {
  CONFLICT,
  INDEX_CONFLICT,
  MISSING,
  missingIfNoHash,
  type RawReply,
  SAVED,
  type ScriptArguments,
  type ScriptReply,
  SharedScript,
  unknownOutcome,
  WriteDeadline,
} from '../client/script.js';

interface ScriptedClient {
  nestIndexedSave(...args: ScriptArguments): Promise<RawReply>;
  nestIndexedEnd(...args: ScriptArguments): Promise<RawReply>;
}

/** What all scripts of one repository are told. Times are ms, -1 = none. */
export interface IndexedCommandOptions {
  readonly absoluteTimeoutMs: number;
  readonly commandTimeoutMs: number;
  /** Names of the attributes that events carry. */
  readonly eventAttributes: 'all' | readonly string[];
  /** About how many events one partition holds at most; 0 = none. */
  readonly maxEventsPerPartition: number;
  /** Whether expirations are kept in the sorted set. */
  readonly hasExpirations: boolean;
  /** Ms after which an index entry is written again although nobody has looked after the expirations. */
  readonly indexDelayMs: number;
  /** Ms that the mark of a session which somebody else has ended lives. */
  readonly reasonLifeMs: number;
  /** Ms that the hash outlives the session. */
  readonly retentionMs: number;
  /** Whether one command may read or save several sessions. */
  readonly sharedCommands: boolean;
  readonly touchIntervalMs: number;
}

/** Sends the Lua scripts of the indexed repository; the only place that knows their arguments and replies. */
export class IndexedSessionCommands {
  private readonly deadline: WriteDeadline;
  private readonly reads: SessionReads;
  private readonly attributeSaves: SharedScript;
  private readonly known: KnownHashes;
  private readonly eventNames: readonly string[];
  private readonly eventNameCount: number;

  constructor(
    private readonly client: RedisClient,
    private readonly keys: IndexedSessionKeys,
    private readonly options: IndexedCommandOptions,
  ) {
    defineOnBoth(client, 'nestIndexedSave', saveIndexed);
    defineOnBoth(client, 'nestIndexedEnd', endSession);
    const { absoluteTimeoutMs, eventAttributes, indexDelayMs, retentionMs, touchIntervalMs } =
      options;
    this.deadline = new WriteDeadline(options.commandTimeoutMs);
    // With buckets, other applications write the hash too, and give it no new version.
    const isVersioned = options.hasExpirations;
    this.known = new KnownHashes(isVersioned ? undefined : 0);
    this.reads = new SessionReads({
      client,
      commandTimeoutMs: options.commandTimeoutMs,
      deadline: this.deadline,
      known: this.known,
      name: 'loadIndexed',
      lua: loadIndexed.lua,
      isShared: options.sharedCommands,
      commonArguments: (latestMs, nowMs) => [
        ...[nowMs, latestMs, absoluteTimeoutMs, touchIntervalMs, retentionMs, indexDelayMs],
        isVersioned ? LEAST_KNOWN_BYTES : '',
      ],
    });
    this.attributeSaves = new SharedScript({
      client,
      deadline: this.deadline,
      action: SAVE,
      name: 'setIndexedAttributes',
      lua: setIndexedAttributes.lua,
      isShared: options.sharedCommands,
      commonArguments: (latestMs) => [latestMs, absoluteTimeoutMs],
    });
    this.eventNames = eventAttributes === 'all' ? [] : eventAttributes;
    this.eventNameCount = eventAttributes === 'all' ? -1 : eventAttributes.length;
  }

  /** @returns an empty hash when there is no such session. @throws SessionCorruptError */
  load(id: string, nowMs: number, accessTimeMs?: number): Promise<HashFields> {
    return this.reads.read(this.keys.session(id), nowMs, [accessTimeMs ?? '']);
  }

  /** The session as it is, whatever its times; no access is recorded. As {@link load} otherwise. */
  read(id: string): Promise<HashFields> {
    return this.reads.readPlain(this.keys.session(id));
  }

  /** Whether {@link load} may spare Redis the contents of the session. */
  isKnown(id: string): boolean {
    return this.known.has(this.keys.session(id));
  }

  async save(input: SaveIndexedInput): Promise<SaveIndexedOutcome> {
    const storedKey = this.keys.session(input.storedId);
    const known = this.known.get(storedKey);
    const [outcome, , ...texts] = await this.sendSave(input, known?.version ?? '');
    const rest = texts.map(String);
    if (outcome === SAVED) {
      const knownNow = known?.afterSave(changedFields(input.hash), rest[0] ?? '');
      this.known.move(storedKey, this.keys.session(input.id), knownNow);
      return { kind: 'saved', earlier: rest.slice(1) };
    }
    if (outcome === MISSING) {
      this.known.delete(storedKey);
      return { kind: 'missing' };
    }
    if (outcome === CONFLICT) return { kind: 'conflict', current: fromConflict(rest) };
    if (outcome === INDEX_CONFLICT) return { kind: 'index-conflict', earlier: rest };
    throw unknownOutcome('saveIndexed', outcome);
  }

  /** @throws SessionStoreError */
  async end({
    id,
    kind,
    nowMs,
    reason = '',
    isKept = false,
  }: EndSessionInput): Promise<EndSessionOutcome> {
    const { keys, options } = this;
    const partition = keys.partitionOf(id);
    const args = (latestMs: number) => [
      ...[keys.session(id), keys.expirations(partition), keys.events(partition), keys.ended(id)],
      ...[latestMs, id, kind, nowMs ?? '', options.absoluteTimeoutMs, reason],
      ...[options.reasonLifeMs, isKept ? '1' : '0', options.maxEventsPerPartition],
      ...[this.eventNameCount, ...this.eventNames],
    ];
    const send = (latest: number) =>
      writeOver(this.client, kind === 'deleted', (client: ScriptedClient) =>
        client.nestIndexedEnd(...args(latest)),
      );
    const [outcome, , ...texts] = await this.deadline.inTime('end the session', send);
    this.known.delete(keys.session(id));
    const rest = texts.map(String);
    if (outcome === 1) return { kind: 'ended', fields: rest };
    if (outcome === 2) return { kind: 'alive', expiry: rest[0] ?? '', fields: rest.slice(1) };
    if (outcome === 3) return { kind: 'none' };
    throw unknownOutcome('endSession', outcome);
  }

  /** Chooses the script that does no more than this save needs. @param version - that is known, or '' */
  private sendSave(input: SaveIndexedInput, version: string): Promise<ScriptReply> {
    const { storedId, id, hash, indexes, isAccessRecorded } = input;
    const isLogin = storedId !== id || changesLogin(hash);
    const isSmall = !isLogin && indexes.size === 0 && isAccessRecorded;
    if (isSmall && setsAttributesAlone(hash))
      return saveAttributes(this.attributeSaves, this.keys.session(id), version, hash.set);
    const send = (latest: number) =>
      writeOver(this.client, isLogin, (client: ScriptedClient) =>
        client.nestIndexedSave(...this.saveArguments(input, latest, version)),
      );
    return this.deadline.inTime(SAVE, send).catch(missingIfNoHash);
  }

  private saveArguments(
    input: SaveIndexedInput,
    latestMs: number,
    version: string,
  ): (string | number)[] {
    const { keys, options } = this;
    const { storedId, id, hash, indexes } = input;
    const partition = keys.partitionOf(id);
    if (partition !== keys.partitionOf(storedId)) {
      const reason = new Error('an id changes within its partition');
      throw SessionStoreError.create('change the id of the session', reason);
    }
    const hasUpdates = hash.updates.length > 0;
    const expirations = keys.expirations(partition);
    const markKey = hasUpdates ? keys.save(id, randomUUID()) : expirations;
    // A session that gets its hashed id keeps the id that its client has: that is no event, and would tell the id.
    const isHashed = storedId !== id && storageIdOf(storedId) === id;
    const maxEvents = isHashed ? 0 : options.maxEventsPerPartition;
    return [
      ...[keys.session(storedId), keys.session(id), markKey],
      ...[expirations, keys.events(partition), keys.ended(id)],
      ...[hash.creationTime, latestMs, hash.lastAccessedTime, hash.maxInactiveInterval],
      ...[options.absoluteTimeoutMs, options.retentionMs],
      ...[Buffer.byteLength(storedId), Buffer.byteLength(id)],
      ...[options.hasExpirations ? '1' : '0', maxEvents, version],
      ...[hash.set.length / 2, hash.remove.length, hash.updates.length / 3],
      ...[indexes.size, this.eventNameCount],
      ...[...hash.set, ...hash.remove, ...hash.updates],
      ...[...indexes].flatMap(([name, text]) => [INDEX_FIELD_PREFIX + name, text]),
      ...this.eventNames,
    ];
  }
}
