import { REASON_LIFE_MS } from '../session/session-event.js';
import { randomUUID } from 'node:crypto';
import {
  CONFLICT,
  MISSING,
  missingIfNoHash,
  refuseWrongType,
  replyToSave,
  SAVED,
  scriptOf,
  unknownOutcome,
  WriteDeadline,
} from '../redis/client/script.js';
import { endSpring, loadSpring, recordEvent, saveSpring } from '../redis/lua/scripts.generated.js';
import { type HashChange } from '../redis/sessions/redis-session.mapper.js';
import { type RedisClient, takeText } from '../redis/client/redis-client.js';
import { withDeadline } from '../lib/store-operation.js';
import { SessionLimitError } from '../session/session.errors.js';
import { type SpringSessionKeys } from './spring-session.keys.js';
import { createdMessage, fromSpringConflict } from './spring-session.mapper.js';

/** What all scripts of one repository are told. */
export interface SpringCommandOptions {
  readonly commandTimeoutMs: number;
  /** Whether sessions have an index, shadow keys and buckets. */
  readonly isIndexed: boolean;
  /** About how many events the stream holds at most. */
  readonly maxEvents: number;
  readonly touchIntervalMs: number;
}

/** One save. The indexes are keys; '' = the session is of no user. */
export interface SaveSpringInput {
  readonly storedId: string;
  readonly id: string;
  readonly hash: HashChange;
  readonly earlierIndex: string;
  readonly index: string;
  /** How many sessions the user may have; undefined = this is no login, or there is no limit. */
  readonly limit: number | undefined;
  readonly isRefusing: boolean;
  /** Tells Spring's listeners of a new session; '' = nobody is told. */
  readonly channel: string;
}

/** What became of a save; `surplus` = ids of sessions that have to end. */
export type SaveSpringOutcome =
  | { readonly kind: 'saved'; readonly surplus: readonly string[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'conflict'; readonly current: ReadonlyMap<string, string | undefined> };

/** What was found under an id; 'replaced' = a newer login has taken the place of the session. */
export type LoadSpringOutcome =
  | { readonly kind: 'found'; readonly fields: readonly string[] }
  | { readonly kind: 'replaced' | 'none' };

/** Ms for which a replica that hears late of an event knows that it is recorded: as long as a hash outlives its session. */
const TOLD_LIFE_MS = 600_000;
const TOO_MANY = -5;
/** Names the id of a session that has ended and that Spring still finds, as JSON. */
export const ENDED_FIELD = 'ended';

/** Sends the Lua scripts for Spring's keys; the only place that knows their arguments and replies. */
export class SpringSessionCommands {
  private readonly scripts: ReturnType<typeof scriptsOn>;
  private readonly deadline: WriteDeadline;
  private readonly buckets: string;

  constructor(
    readonly client: RedisClient,
    readonly keys: SpringSessionKeys,
    private readonly options: SpringCommandOptions,
  ) {
    this.scripts = scriptsOn(client);
    this.deadline = new WriteDeadline(options.commandTimeoutMs);
    this.buckets = options.isIndexed ? keys.bucketPrefix : '';
  }

  /** @param accessTimeMs - epoch; undefined = this is no access. @throws SessionCorruptError, SessionStoreError */
  async load(id: string, nowMs: number, accessTimeMs?: number): Promise<LoadSpringOutcome> {
    const { keys, options, buckets } = this;
    const send = (latest: number) =>
      this.scripts.load(
        ...[keys.session(id), keys.shadow(id), nowMs, latest, accessTimeMs ?? ''],
        ...[options.touchIntervalMs, buckets, id],
      );
    const reply = this.deadline.inTime('load the session', send);
    const [outcome, , fields] = await reply.catch(refuseWrongType);
    if (outcome === 1 && Array.isArray(fields))
      return { kind: 'found', fields: fields.map(String) };
    if (outcome === 2) return { kind: 'replaced' };
    if (outcome === 3) return { kind: 'none' };
    throw unknownOutcome('loadSpring', outcome);
  }

  /** The hash as it is, whatever its times: names and values in turn. @throws SessionStoreError */
  async read(id: string): Promise<readonly string[]> {
    const hash = this.client.hgetall(this.keys.session(id));
    const fields = await this.inTime('load the session', hash).catch(refuseWrongType);
    return Object.entries(fields).flat();
  }

  /** Why somebody else has ended the session, once. @throws SessionStoreError */
  takeReason(id: string): Promise<string | null> {
    return this.inTime('read why a session ended', takeText(this.client, this.keys.ended(id)));
  }

  /** @throws SessionLimitError, SessionStoreError */
  async save(input: SaveSpringInput): Promise<SaveSpringOutcome> {
    const args = this.saveArguments(input);
    const send = (latest: number) => this.scripts.save(...args(latest)).then(replyToSave);
    const reply = this.deadline.inTime('save the session', send).catch(missingIfNoHash);
    const [outcome, , ...rest] = await reply;
    if (outcome === SAVED) return { kind: 'saved', surplus: rest.slice(1).map(String) };
    if (outcome === MISSING) return { kind: 'missing' };
    if (outcome === CONFLICT)
      return { kind: 'conflict', current: fromSpringConflict(rest.map(String)) };
    if (outcome === TOO_MANY) throw SessionLimitError.create();
    throw unknownOutcome('saveSpring', outcome);
  }

  /**
   * What a session held that has ended.
   *
   * @returns names and values in turn; none when a newer login took its place more than five minutes ago: its event is past
   * @throws SessionStoreError
   */
  async readEnded(id: string): Promise<readonly string[]> {
    const left = await this.inTime('load the session', this.client.hgetall(this.keys.left(id)));
    if (Object.keys(left).length > 0) return Object.entries(left).flat();
    const fields = await this.read(id);
    return isMarkedByUs(fields, id) ? [] : fields;
  }

  /** @param index - key of the index of its user, or ''. @param reason - for its client, or ''. @throws SessionStoreError */
  end(id: string, index = '', reason = ''): Promise<void> {
    return this.endAs('ended', id, index, reason);
  }

  /** {@link end} for a newer login, in the indexed repository: Spring tells its user that, too. @throws SessionStoreError */
  replace(id: string, index: string, reason: string): Promise<void> {
    return this.endAs('replaced', id, index, reason);
  }

  private async endAs(
    kind: 'ended' | 'replaced',
    id: string,
    index: string,
    reason: string,
  ): Promise<void> {
    const { keys, buckets } = this;
    const [outcome] = await this.deadline.inTime('end the session', (latest) =>
      this.scripts.end(
        ...[keys.session(id), keys.shadow(id), keys.ended(id), keys.left(id), latest, id],
        ...[buckets, index, reason, REASON_LIFE_MS, kind === 'replaced' ? '1' : '0'],
      ),
    );
    if (outcome !== 1 && outcome !== 2) throw unknownOutcome('endSpring', outcome);
  }

  /** @param stream - its key. @param fields - of the event, names and values in turn. @throws SessionStoreError */
  async record(type: string, id: string, stream: string, fields: readonly string[]): Promise<void> {
    const { keys, options } = this;
    const [outcome] = await this.deadline.inTime('record an event', (latest) =>
      this.scripts.record(
        ...[keys.told(type, id), stream, latest, TOLD_LIFE_MS, options.maxEvents],
        ...[type, ...fields],
      ),
    );
    if (outcome !== 1 && outcome !== 2) throw unknownOutcome('recordEvent', outcome);
  }

  /** @throws SessionStoreError */
  inTime<T>(action: string, reply: Promise<T>): Promise<T> {
    return withDeadline(action, this.options.commandTimeoutMs, reply);
  }

  private saveArguments(input: SaveSpringInput): (latestMs: number) => (string | number)[] {
    const { keys, buckets } = this;
    const { storedId, id, hash, channel } = input;
    const hasUpdates = hash.updates.length > 0;
    const storedKey = keys.session(storedId);
    const markKey = hasUpdates ? keys.save(randomUUID()) : storedKey;
    return (latestMs) => [
      ...[storedKey, keys.session(id), markKey, keys.shadow(storedId), keys.shadow(id)],
      ...[hash.creationTime, latestMs, hash.lastAccessedTime, hash.maxInactiveInterval],
      ...[buckets, keys.sessionPrefix, storedId, id, input.earlierIndex, input.index],
      ...[input.limit ?? -1, input.isRefusing ? '1' : '0'],
      ...[channel, channel && createdMessage(hash)],
      ...[hash.set.length / 2, hash.remove.length, hash.updates.length / 3],
      ...[...hash.set, ...hash.remove, ...hash.updates],
    ];
  }
}

function scriptsOn(client: RedisClient) {
  return {
    load: scriptOf(client, 'nestSpringLoad', loadSpring),
    save: scriptOf(client, 'nestSpringSave', saveSpring),
    end: scriptOf(client, 'nestSpringEnd', endSpring),
    record: scriptOf(client, 'nestEventRecord', recordEvent),
  };
}

/** @param fields - names and values in turn */
function isMarkedByUs(fields: readonly string[], id: string): boolean {
  return fields.includes(ENDED_FIELD) && fields.includes(JSON.stringify(id));
}
