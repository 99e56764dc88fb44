import { type IndexedSessionKeys } from './indexed-session.keys.js';
import {
  eventNameArguments,
  type IndexedCommandOptions,
  IndexedSessionSaves,
  type SaveIndexedInput,
} from './indexed-session-saves.js';
import { INDEX_FIELD_PREFIX } from './session-index.js';
import { withDeadline } from '../../lib/store-operation.js';
import { deleteIndexed, endSession, loadIndexed } from '../lua/scripts.generated.js';
import { type RedisClient } from '../client/redis-client.js';
import { type HashFields, KnownHashes, LEAST_KNOWN_BYTES } from '../sessions/hash-fields.js';
import { type WriteScript, writeScriptOf } from '../client/durable-writes.js';
import { changedFields, fromConflict } from '../sessions/redis-session.mapper.js';
import { SessionReads } from '../sessions/session-reads.js';
import {
  CONFLICT,
  INDEX_CONFLICT,
  listOf,
  MISSING,
  SAVED,
  unknownOutcome,
  WriteDeadline,
} from '../client/script.js';

/** What became of a save; `earlier` = texts of the index fields that change, '' = none. */
export type SaveIndexedOutcome =
  | { readonly kind: 'saved'; readonly earlier: readonly string[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'conflict'; readonly current: ReadonlyMap<string, string | undefined> }
  /** An index field does not hold what it must. */
  | { readonly kind: 'index-conflict'; readonly earlier: readonly string[] };

/** Which session to end. */
interface EndSessionInput {
  readonly id: string;
  /** 'expired': only when its time has come. */
  readonly kind: 'deleted' | 'expired';
  /** Epoch ms; undefined = what the clock of Redis shows. */
  readonly nowMs?: number;
  /** For its client; '' = none. */
  readonly reason?: string;
  /** Whether the hash stays until its time to live ends, for other readers of it. */
  readonly isKept?: boolean;
}

/** What became of a session; `fields` are those of its hash that tell where else it is noted, names and values in turn. */
type EndSessionOutcome =
  | { readonly kind: 'ended'; readonly fields: readonly string[] }
  | { readonly kind: 'alive'; readonly expiry: string; readonly fields: readonly string[] }
  | { readonly kind: 'none' };

/** Sends the Lua scripts of the indexed repository, and knows their arguments and replies. */
export class IndexedSessionCommands {
  private readonly deadline: WriteDeadline;
  private readonly reads: SessionReads;
  private readonly saves: IndexedSessionSaves;
  private readonly known: KnownHashes;
  private readonly deleteIndexed: WriteScript<readonly (string | null)[]>;
  private readonly endSession: WriteScript;

  constructor(
    client: RedisClient,
    private readonly keys: IndexedSessionKeys,
    private readonly options: IndexedCommandOptions,
  ) {
    this.deleteIndexed = writeScriptOf(client, 'nestIndexedDelete', deleteIndexed);
    this.endSession = writeScriptOf(client, 'nestIndexedEnd', endSession);
    const { absoluteTimeoutMs, indexDelayMs, retentionMs, touchIntervalMs } = options;
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
    this.saves = new IndexedSessionSaves({ client, keys, options, deadline: this.deadline });
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
    const [outcome, , ...texts] = await this.saves.send(input, known?.version ?? '');
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
  async end(input: EndSessionInput): Promise<EndSessionOutcome> {
    const { hasExpirations, maxEventsPerPartition } = this.options;
    const needsIndexesAlone = hasExpirations && maxEventsPerPartition === 0;
    const isPlain = input.kind === 'deleted' && needsIndexesAlone;
    const outcome = await (isPlain ? this.sendDeletion(input) : this.sendEnd(input));
    this.known.delete(this.keys.session(input.id));
    return outcome;
  }

  /** After an error the deletion may still take place. A user who logs in anew in the session meanwhile gets 401. */
  private async sendDeletion({ id, reason = '' }: EndSessionInput): Promise<EndSessionOutcome> {
    const { keys, options } = this;
    const fields = options.indexNames.map((name) => INDEX_FIELD_PREFIX + name);
    const args = [
      ...[keys.session(id), keys.expirations(keys.partitionOf(id)), keys.ended(id)],
      ...[id, reason, options.reasonLifeMs, ...fields],
    ];
    const texts = await withDeadline(
      'end the session',
      options.commandTimeoutMs,
      this.deleteIndexed(true, args).then(listOf<string | null>),
    );
    return { kind: 'ended', fields: texts.flatMap((text, i) => [fields[i] ?? '', text ?? '']) };
  }

  private async sendEnd({
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
      ...eventNameArguments(options),
    ];
    const send = (latest: number) => this.endSession(kind === 'deleted', args(latest));
    const [outcome, , ...texts] = await this.deadline.inTime('end the session', send);
    const rest = texts.map(String);
    if (outcome === 1) return { kind: 'ended', fields: rest };
    if (outcome === 2) return { kind: 'alive', expiry: rest[0] ?? '', fields: rest.slice(1) };
    if (outcome === 3) return { kind: 'none' };
    throw unknownOutcome('endSession', outcome);
  }
}
