import { randomUUID } from 'node:crypto';
import { type RedisClient } from '../client/redis-client.js';
import { type SaveOutcome } from '../../session/session-change.js';
import {
  createSession,
  loadSessions,
  saveSession,
  setAttributes,
} from '../lua/scripts.generated.js';
import { type HashFields, KnownHashes, LEAST_KNOWN_BYTES } from './hash-fields.js';
import { withDeadline } from '../../lib/store-operation.js';
import { type WriteScript, writeOver, writeScriptOf } from '../client/durable-writes.js';
import {
  changedFields,
  changesLogin,
  expiryOf,
  fromConflict,
  type HashChange,
  timesOf,
  setsAttributesAlone,
  setsFewFields,
} from './redis-session.mapper.js';
import { SessionReads } from './session-reads.js';
import {
  CONFLICT,
  integerOf,
  MISSING,
  missingIfNoHash,
  type RawReply,
  replyToSave,
  SAVED,
  type ScriptReply,
  unknownOutcome,
  WriteDeadline,
} from '../client/script.js';
import { SharedScript } from '../client/shared-script.js';

/** For errors. */
export const SAVE = 'save the session';

/** What all scripts of one repository are told; absoluteTimeoutMs -1 = none. */
export interface RedisCommandOptions {
  readonly absoluteTimeoutMs: number;
  readonly commandTimeoutMs: number;
  /** Whether one command may read or save several sessions. */
  readonly sharedCommands: boolean;
}

/** Times are epoch ms. */
interface LoadSessionInput {
  readonly key: string;
  readonly nowMs: number;
  readonly accessTimeMs: number | undefined;
  readonly touchIntervalMs: number;
}

interface SaveSessionInput {
  readonly storedKey: string;
  readonly currentKey: string;
  readonly markKeyOf: (saveId: string) => string;
  readonly hash: HashChange;
  /** Whether Redis knows of the access already, so that the save need not record it. */
  readonly isAccessRecorded: boolean;
}

/**
 * Sends the Lua scripts: one command per operation, each under a deadline. The only place that knows their arguments
 * and replies.
 */
export class RedisSessionCommands {
  private readonly deadline: WriteDeadline;
  private readonly reads: SessionReads;
  private readonly attributeSaves: SharedScript;
  private readonly known = new KnownHashes();
  private readonly create: WriteScript;
  private readonly save: WriteScript;
  /** Of a session whose id is the same, without updates: one key. */
  private readonly saveInPlace: WriteScript;

  constructor(
    private readonly client: RedisClient,
    private readonly options: RedisCommandOptions,
  ) {
    const { absoluteTimeoutMs, commandTimeoutMs } = options;
    this.deadline = new WriteDeadline(commandTimeoutMs);
    this.reads = new SessionReads({
      client,
      commandTimeoutMs,
      known: this.known,
      deadline: this.deadline,
      name: 'loadSessions',
      lua: loadSessions.lua,
      isShared: options.sharedCommands,
      commonArguments: (latestMs, nowMs) => [nowMs, latestMs, absoluteTimeoutMs, LEAST_KNOWN_BYTES],
    });
    this.attributeSaves = new SharedScript({
      client,
      deadline: this.deadline,
      action: SAVE,
      name: 'setAttributes',
      lua: setAttributes.lua,
      isShared: options.sharedCommands,
      commonArguments: (latestMs) => [latestMs],
    });
    this.create = writeScriptOf(client, 'nestSessionCreate', createSession);
    this.save = writeScriptOf(client, 'nestSessionSave', saveSession);
    const inPlace = { ...saveSession, numberOfKeys: 1 };
    this.saveInPlace = writeScriptOf(client, 'nestSessionSaveInPlace', inPlace);
  }

  /** @returns an empty hash when there is no such session. @throws SessionCorruptError */
  loadSession(input: LoadSessionInput): Promise<HashFields> {
    const { key, nowMs, accessTimeMs = '', touchIntervalMs } = input;
    return this.reads.read(key, nowMs, [accessTimeMs, touchIntervalMs]);
  }

  /** Whether {@link loadSession} may spare Redis the contents of the session. */
  isKnown(key: string): boolean {
    return this.known.has(key);
  }

  /** The session as it is, whatever its times; no access is recorded. As {@link loadSession} otherwise. */
  readSession(key: string): Promise<HashFields> {
    return this.reads.readPlain(key);
  }

  /** @throws SessionStoreError */
  async saveSession(input: SaveSessionInput): Promise<SaveOutcome> {
    const { storedKey, currentKey, hash } = input;
    const known = this.known.get(storedKey);
    const [outcome, , ...texts] = await this.sendSave(input, known?.version ?? '');
    const rest = texts.map(String);
    if (outcome === SAVED) {
      const knownNow = known?.afterSave(changedFields(hash), rest[0] ?? '');
      this.known.move(storedKey, currentKey, knownNow);
      return { kind: 'saved' };
    }
    if (outcome === MISSING) {
      this.known.delete(storedKey);
      return { kind: 'missing' };
    }
    if (outcome === CONFLICT) return { kind: 'conflict', current: fromConflict(rest) };
    throw unknownOutcome('saveSession', outcome);
  }

  /** Chooses the script that does no more than this save needs. @param version - that is known, or '' */
  private sendSave(input: SaveSessionInput, version: string): Promise<ScriptReply> {
    const { storedKey, currentKey, hash, isAccessRecorded } = input;
    const isLogin = storedKey !== currentKey || changesLogin(hash);
    if (isAccessRecorded && !isLogin && setsAttributesAlone(hash))
      return saveAttributes(this.attributeSaves, storedKey, version, hash.set);
    const send = (latest: number) =>
      this.sendScript(input, isLogin, latest, version).then(replyToSave);
    return this.deadline.inTime(SAVE, send).catch(missingIfNoHash);
  }

  private sendScript(
    input: SaveSessionInput,
    isLogin: boolean,
    latest: number,
    version: string,
  ): Promise<RawReply> {
    const { storedKey, currentKey, hash } = input;
    const { absoluteTimeoutMs } = this.options;
    if (hash.creationTime !== '' && setsFewFields(hash)) {
      const expiry = expiryOf(hash, absoluteTimeoutMs);
      const args = [currentKey, latest, expiry, ...timesOf(hash), ...hash.set];
      return this.create(isLogin, args);
    }
    const args = [
      ...[hash.creationTime, latest, hash.lastAccessedTime, hash.maxInactiveInterval],
      ...[absoluteTimeoutMs, version],
      ...[hash.set.length / 2, hash.remove.length, hash.updates.length / 3],
      ...[...hash.set, ...hash.remove, ...hash.updates],
    ];
    return storedKey === currentKey && hash.updates.length === 0
      ? this.saveInPlace(isLogin, [storedKey, ...args])
      : this.save(isLogin, [storedKey, currentKey, input.markKeyOf(randomUUID()), ...args]);
  }

  /** After an error the deletion may still take place. A user who logs in anew in the session meanwhile gets 401. @throws SessionStoreError */
  async deleteSession(key: string): Promise<void> {
    const { commandTimeoutMs } = this.options;
    const reply = writeOver(this.client, true, (client) => client.del(key));
    const deletion = reply.then(integerOf);
    await withDeadline('delete the session', commandTimeoutMs, deletion);
    this.known.delete(key);
  }
}

/**
 * Sets attributes alone.
 *
 * @param version - that is known, or ''
 * @param set - names and texts in turn
 */
export async function saveAttributes(
  script: SharedScript,
  key: string,
  version: string,
  set: readonly string[],
): Promise<ScriptReply> {
  const [outcome = SAVED, newVersion = ''] = await script.call(key, [
    version,
    set.length / 2,
    ...set,
  ]);
  return [Number(outcome), NaN, newVersion];
}
