import { randomUUID } from 'node:crypto';
import { type Cluster, type Redis } from 'ioredis';
import { type SaveOutcome } from '../session/session-change.js';
import { deleteSession, loadSession, saveSession } from './lua/scripts.generated.js';
import { type HashFields } from './attribute-texts.js';
import { HashText } from './hash-text.js';
import { readHash } from './read-hash.js';
import { fromConflict, type HashChange } from './redis-session.mapper.js';
import {
  isWrongType,
  type RawReply,
  refuseWrongType,
  type ScriptReply,
  unknownOutcome,
  WriteDeadline,
} from './write-deadline.js';

/** A client for one server, for Sentinel, or for a Redis Cluster. */
export type RedisClient = Redis | Cluster;

interface ScriptedClient {
  nestSessionLoad(key: string, ...args: (string | number)[]): Promise<RawReply>;
  nestSessionSave(
    storedKey: string,
    currentKey: string,
    markKey: string,
    ...args: (string | number)[]
  ): Promise<RawReply>;
  nestSessionDelete(key: string, ...args: (string | number)[]): Promise<RawReply>;
}

/** Outcome of a save whose session does not exist: it has written nothing. */
const MISSING = -1;

/** What `loadSession` is told. Times are epoch ms. */
export interface LoadSessionInput {
  readonly key: string;
  readonly nowMs: number;
  readonly accessTimeMs: number | undefined;
  readonly touchIntervalMs: number;
  readonly absoluteTimeoutMs: number;
}

/** What `saveSession` is told; absoluteTimeoutMs -1 = none. */
export interface SaveSessionInput {
  readonly storedKey: string;
  readonly currentKey: string;
  readonly markKeyOf: (saveId: string) => string;
  readonly absoluteTimeoutMs: number;
  readonly hash: HashChange;
}

/**
 * Sends the Lua scripts: one command per operation, each under a deadline. The only place that knows their arguments
 * and replies.
 */
export class RedisSessionCommands {
  private readonly scripts: ScriptedClient;
  private readonly deadline: WriteDeadline;

  constructor(
    private readonly client: RedisClient,
    private readonly timeoutMs: number,
  ) {
    client.defineCommand('nestSessionLoad', loadSession);
    client.defineCommand('nestSessionSave', saveSession);
    client.defineCommand('nestSessionDelete', deleteSession);
    this.scripts = client as unknown as ScriptedClient;
    this.deadline = new WriteDeadline(timeoutMs);
  }

  /** @returns an empty hash when there is no such session. @throws SessionCorruptError */
  async loadSession(input: LoadSessionInput): Promise<HashFields> {
    const { key, nowMs, accessTimeMs = '', touchIntervalMs, absoluteTimeoutMs } = input;
    // What is left out need not be read: most sessions have neither.
    const absolute = absoluteTimeoutMs < 0 ? [] : [absoluteTimeoutMs];
    const rest = absolute.length > 0 || touchIntervalMs > 0 ? [touchIntervalMs, ...absolute] : [];
    try {
      const [outcome, , count, text] = await this.deadline.inTime('load the session', (latest) =>
        this.scripts.nestSessionLoad(key, nowMs, latest, accessTimeMs, ...rest),
      );
      if (outcome !== 1) throw unknownOutcome('loadSession', outcome);
      return HashText.parse(count, text) ?? (await readHash(this.client, key, this.timeoutMs));
    } catch (error) {
      return refuseWrongType(error);
    }
  }

  /** The session as it is, whatever its times; no access is recorded. As {@link loadSession} otherwise. */
  readSession(key: string): Promise<HashFields> {
    return readHash(this.client, key, this.timeoutMs).catch(refuseWrongType);
  }

  async saveSession(input: SaveSessionInput): Promise<SaveOutcome> {
    const { storedKey, currentKey, absoluteTimeoutMs, hash } = input;
    const markKey = hash.updates.length > 0 ? input.markKeyOf(randomUUID()) : storedKey;
    const send = (latest: number) =>
      this.scripts.nestSessionSave(
        storedKey,
        currentKey,
        markKey,
        hash.creationTime,
        latest,
        hash.lastAccessedTime,
        hash.maxInactiveInterval,
        absoluteTimeoutMs,
        hash.set.length / 2,
        hash.remove.length,
        hash.updates.length / 3,
        ...hash.set,
        ...hash.remove,
        ...hash.updates,
      );
    const [outcome, , ...rest] = await this.deadline
      .inTime('save the session', send)
      .catch(missingIfNoHash);
    if (outcome === 1) return { kind: 'saved' };
    if (outcome === MISSING) return { kind: 'missing' };
    if (outcome === -3) return { kind: 'conflict', current: fromConflict(rest.map(String)) };
    throw unknownOutcome('saveSession', outcome);
  }

  async deleteSession(key: string): Promise<void> {
    const [outcome] = await this.deadline.inTime('delete the session', (latest) =>
      this.scripts.nestSessionDelete(key, latest),
    );
    if (outcome !== 1) throw unknownOutcome('deleteSession', outcome);
  }
}

function missingIfNoHash(error: unknown): ScriptReply {
  if (isWrongType(error)) return [MISSING, NaN];
  throw error;
}
