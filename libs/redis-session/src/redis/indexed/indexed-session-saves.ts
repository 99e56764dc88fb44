import { randomUUID } from 'node:crypto';
import { storageIdOf } from '../../session/session-id.js';
import { SessionStoreError } from '../../session/session.errors.js';
import { type WriteScript, writeScriptOf } from '../client/durable-writes.js';
import { type RedisClient } from '../client/redis-client.js';
import {
  missingIfNoHash,
  replyToSave,
  type ScriptArguments,
  type ScriptReply,
  type WriteDeadline,
} from '../client/script.js';
import { SharedScript } from '../client/shared-script.js';
import { createIndexed, saveIndexed, setIndexedAttributes } from '../lua/scripts.generated.js';
import { SAVE, saveAttributes } from '../sessions/redis-session.commands.js';
import {
  type HashChange,
  changesLogin,
  expiryOf,
  setsAttributesAlone,
  timesOf,
  ATTRIBUTE_PREFIX,
} from '../sessions/redis-session.mapper.js';
import { type IndexedSessionKeys } from './indexed-session.keys.js';
import { INDEX_FIELD_PREFIX } from './session-index.js';

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
  /** Names of all indexes. */
  readonly indexNames: readonly string[];
  /** Ms that the mark of a session which somebody else has ended lives. */
  readonly reasonLifeMs: number;
  /** Ms that the hash outlives the session. */
  readonly retentionMs: number;
  /** Whether one command may read or save several sessions. */
  readonly sharedCommands: boolean;
  readonly touchIntervalMs: number;
}

/** One save. */
export interface SaveIndexedInput {
  readonly storedId: string;
  readonly id: string;
  readonly hash: HashChange;
  /** Names of the indexes whose entries change, and the texts that their fields must hold; '*' = any, '' = none. */
  readonly indexes: ReadonlyMap<string, string>;
  /** Whether Redis knows of the access already, so that the save need not record it. */
  readonly isAccessRecorded: boolean;
}

interface IndexedSessionSavesInput {
  readonly client: RedisClient;
  readonly deadline: WriteDeadline;
  readonly keys: IndexedSessionKeys;
  readonly options: IndexedCommandOptions;
}

/** Sends the scripts that save sessions of the indexed repository, and knows their arguments. */
export class IndexedSessionSaves {
  private readonly attributes: SharedScript;
  private readonly create: WriteScript;
  private readonly save: WriteScript;

  constructor(private readonly input: IndexedSessionSavesInput) {
    const { client, deadline, options } = input;
    this.create = writeScriptOf(client, 'nestIndexedCreate', createIndexed);
    this.save = writeScriptOf(client, 'nestIndexedSave', saveIndexed);
    this.attributes = new SharedScript({
      client,
      deadline,
      action: SAVE,
      name: 'setIndexedAttributes',
      lua: setIndexedAttributes.lua,
      isShared: options.sharedCommands,
      commonArguments: (latestMs) => [latestMs, options.absoluteTimeoutMs],
    });
  }

  /** Chooses the script that does no more than this save needs. @param version - that is known, or '' */
  send(save: SaveIndexedInput, version: string): Promise<ScriptReply> {
    const { deadline, keys } = this.input;
    const { storedId, id, hash, indexes, isAccessRecorded } = save;
    const isLogin = storedId !== id || changesLogin(hash);
    const isSmall = !isLogin && indexes.size === 0 && isAccessRecorded;
    if (isSmall && setsAttributesAlone(hash))
      return saveAttributes(this.attributes, keys.session(id), version, hash.set);
    const send = (latestMs: number) =>
      hash.creationTime === ''
        ? this.save(isLogin, this.saveArguments(save, latestMs, version)).then(replyToSave)
        : this.create(isLogin, this.createArguments(save, latestMs)).then(replyToSave);
    return deadline.inTime(SAVE, send).catch(missingIfNoHash);
  }

  /** There is nothing to remove or to compare with. */
  private createArguments({ id, hash }: SaveIndexedInput, latestMs: number): ScriptArguments {
    const { keys, options } = this.input;
    const partition = keys.partitionOf(id);
    const expiry = expiryOf(hash, options.absoluteTimeoutMs);
    const { told, untold } = splitByEvents(hash.set, options.eventAttributes);
    const fields = [...timesOf(hash), ...told];
    return [
      ...[keys.session(id), keys.expirations(partition), keys.events(partition), keys.ended(id)],
      ...[latestMs, id, expiry, expiry === '' ? '' : expiry + options.retentionMs],
      ...[options.hasExpirations ? '1' : '0', options.maxEventsPerPartition, fields.length / 2],
      ...fields,
      ...untold,
    ];
  }

  private saveArguments(
    { storedId, id, hash, indexes }: SaveIndexedInput,
    latestMs: number,
    version: string,
  ): ScriptArguments {
    const { keys, options } = this.input;
    const partition = keys.partitionOf(id);
    if (partition !== keys.partitionOf(storedId)) {
      const reason = new Error('an id changes within its partition');
      throw SessionStoreError.create('change the id of the session', reason);
    }
    const expirations = keys.expirations(partition);
    const markKey = hash.updates.length > 0 ? keys.save(id, randomUUID()) : expirations;
    // A session that gets its hashed id keeps the id that its client has: that is no event, and would tell the id.
    const isHashed = storedId !== id && storageIdOf(storedId) === id;
    const maxEvents = isHashed ? 0 : options.maxEventsPerPartition;
    const [nameCount, ...names] = eventNameArguments(options);
    return [
      ...[keys.session(storedId), keys.session(id), markKey],
      ...[expirations, keys.events(partition), keys.ended(id)],
      ...[latestMs, hash.lastAccessedTime, hash.maxInactiveInterval],
      ...[options.absoluteTimeoutMs, options.retentionMs],
      ...[Buffer.byteLength(storedId), Buffer.byteLength(id)],
      ...[options.hasExpirations ? '1' : '0', maxEvents, version],
      ...[hash.set.length / 2, hash.remove.length, hash.updates.length / 3],
      ...[indexes.size, nameCount],
      ...[...hash.set, ...hash.remove, ...hash.updates],
      ...[...indexes].flatMap(([name, text]) => [INDEX_FIELD_PREFIX + name, text]),
      ...names,
    ];
  }
}

/** The number of attributes that events carry, -1 = all, and their names. */
export function eventNameArguments({
  eventAttributes: names,
}: IndexedCommandOptions): [count: number, ...names: string[]] {
  return names === 'all' ? [-1] : [names.length, ...names];
}

/** Names and texts in turn: those that events carry, and the others. */
function splitByEvents(
  set: readonly string[],
  eventAttributes: IndexedCommandOptions['eventAttributes'],
): { told: readonly string[]; untold: readonly string[] } {
  if (eventAttributes === 'all') return { told: set, untold: [] };
  const isTold = (field: string) =>
    !field.startsWith(ATTRIBUTE_PREFIX) ||
    eventAttributes.includes(field.slice(ATTRIBUTE_PREFIX.length));
  const partOf = (isWanted: boolean) =>
    set.filter((_, i) => isTold(set[i - (i % 2)] ?? '') === isWanted);
  return { told: partOf(true), untold: partOf(false) };
}
