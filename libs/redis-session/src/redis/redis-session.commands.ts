import { randomUUID } from 'node:crypto';
import { type Cluster, type Redis } from 'ioredis';
import { type SaveOutcome } from '../session/session-change.js';
import { SessionStoreError } from '../session/session.errors.js';
import { withDeadline } from './deadline.js';
import { deleteSession, loadSession, saveSession } from './lua/scripts.generated.js';
import { fromConflict, type HashChange } from './redis-session.mapper.js';
import { ServerClock } from './server-clock.js';

/** A client for one server, for Sentinel, or for a Redis Cluster. */
export type RedisClient = Redis | Cluster;

type Reply = number | readonly (string | number)[];

interface ScriptedClient {
  nestSessionLoad(key: string, ...args: (string | number)[]): Promise<string[]>;
  nestSessionSave(
    storedKey: string,
    currentKey: string,
    markKey: string,
    ...args: (string | number)[]
  ): Promise<Reply>;
  nestSessionDelete(key: string, ...args: (string | number)[]): Promise<Reply>;
}

/** What `loadSession` is told. Times are epoch ms. */
export interface LoadSessionInput {
  readonly key: string;
  readonly nowMs: number;
  readonly accessTimeMs: number | undefined;
  readonly touchIntervalMs: number;
  readonly absoluteTimeoutMs: number;
}

/** What `saveSession` is told. Times are epoch ms; -1 = no absolute timeout. */
export interface SaveSessionInput {
  readonly storedKey: string;
  readonly currentKey: string;
  readonly markKeyOf: (saveId: string) => string;
  readonly isNew: boolean;
  readonly lastAccessedTime: number;
  readonly absoluteTimeoutMs: number;
  readonly hash: HashChange;
}

/**
 * Sends the Lua scripts: one command per operation, each under a deadline. The only place that knows their arguments
 * and replies.
 */
export class RedisSessionCommands {
  private readonly scripts: ScriptedClient;
  private readonly serverClock = new ServerClock();

  constructor(
    client: RedisClient,
    private readonly timeoutMs: number,
  ) {
    client.defineCommand('nestSessionLoad', loadSession);
    client.defineCommand('nestSessionSave', saveSession);
    client.defineCommand('nestSessionDelete', deleteSession);
    this.scripts = client as unknown as ScriptedClient;
  }

  /** @returns fields and values in turn; empty when there is no such session */
  loadSession(input: LoadSessionInput): Promise<string[]> {
    const { key, nowMs, accessTimeMs = '', touchIntervalMs, absoluteTimeoutMs } = input;
    const reply = this.scripts.nestSessionLoad(
      key,
      nowMs,
      accessTimeMs,
      touchIntervalMs,
      absoluteTimeoutMs,
    );
    return withDeadline('load the session', this.timeoutMs, reply);
  }

  async saveSession(input: SaveSessionInput): Promise<SaveOutcome> {
    const { storedKey, currentKey, isNew, lastAccessedTime, absoluteTimeoutMs } = input;
    const { set, remove, updates } = input.hash;
    const markKey = updates.length > 0 ? input.markKeyOf(randomUUID()) : storedKey;
    const counts = [set.length / 2, remove.length, updates.length / 3];
    const reply = await this.inTime('save the session', (latest) =>
      this.scripts.nestSessionSave(
        storedKey,
        currentKey,
        markKey,
        isNew ? 1 : 0,
        latest,
        lastAccessedTime,
        absoluteTimeoutMs,
        ...counts,
        ...set,
        ...remove,
        ...updates,
      ),
    );
    if (reply === 1) return { kind: 'saved' };
    if (reply === -1) return { kind: 'missing' };
    if (typeof reply === 'object' && reply[0] === -3) {
      return { kind: 'conflict', current: fromConflict(reply.slice(1).map(String)) };
    }
    throw unknownReply('saveSession', reply);
  }

  async deleteSession(key: string): Promise<void> {
    const reply = await this.inTime('delete the session', (latest) =>
      this.scripts.nestSessionDelete(key, latest),
    );
    if (reply !== 0 && reply !== 1) throw unknownReply('deleteSession', reply);
  }

  /** Gives the script the moment at which its caller gives up, and once more if the server's clock was not known. */
  private async inTime(action: string, send: (latest: number) => Promise<Reply>): Promise<Reply> {
    const attempt = async () => {
      const reply = await send(this.serverClock.inMs(this.timeoutMs));
      if (typeof reply !== 'object' || reply[0] !== -2) return reply;
      this.serverClock.adjust(Number(reply[1]));
      return send(this.serverClock.inMs(this.timeoutMs));
    };
    return withDeadline(action, this.timeoutMs, attempt());
  }
}

function unknownReply(script: string, reply: Reply): SessionStoreError {
  const shape = typeof reply === 'object' ? `an array of ${reply.length}` : String(reply);
  return SessionStoreError.create(`run ${script}`, new Error(`unknown reply: ${shape}`));
}
