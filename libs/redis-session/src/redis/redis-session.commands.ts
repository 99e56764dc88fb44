import { randomUUID } from 'node:crypto';
import { type Cluster, type Redis } from 'ioredis';
import { type SaveOutcome } from '../session/session-change.js';
import { SessionCorruptError, SessionStoreError } from '../session/session.errors.js';
import { withDeadline } from './deadline.js';
import { deleteSession, loadSession, saveSession } from './lua/scripts.generated.js';
import { fromConflict, type HashChange } from './redis-session.mapper.js';
import { ServerClock } from './server-clock.js';

/** A client for one server, for Sentinel, or for a Redis Cluster. */
export type RedisClient = Redis | Cluster;

/** What became of a write, the server's clock in epoch ms, and what else the script has to say. */
type Reply = readonly [outcome: number, nowMs: number, ...rest: unknown[]];

/** The same before it is read: a client with the option `stringNumbers` makes strings of all. */
type RawReply = readonly unknown[];

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

/** Outcome of a script that ran after its latest moment: it has written nothing. */
const TOO_LATE = -2;

/** Our clock, the server's and timers count whole milliseconds: together they can be wrong by this much. */
const CLOCK_GRAIN_MS = 3;

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

  /** @returns fields and values in turn; empty when there is no such session. @throws SessionCorruptError */
  async loadSession(input: LoadSessionInput): Promise<string[]> {
    const { key, nowMs, accessTimeMs = '', touchIntervalMs, absoluteTimeoutMs } = input;
    const send = (latest: number) =>
      this.scripts.nestSessionLoad(
        key,
        nowMs,
        accessTimeMs,
        touchIntervalMs,
        absoluteTimeoutMs,
        latest,
      );
    try {
      const [outcome, , fields] = await this.inTime('load the session', send);
      if (outcome !== 1) throw unknownOutcome('loadSession', outcome);
      return fields as string[];
    } catch (error) {
      if (!isWrongType(error)) throw error;
      throw new SessionCorruptError(
        'Cannot read a session: its key does not hold a hash. Delete the key; the client gets a new session.',
      );
    }
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
    const [outcome, , ...rest] = await this.inTime('save the session', send).catch(missingIfNoHash);
    if (outcome === 1) return { kind: 'saved' };
    if (outcome === MISSING) return { kind: 'missing' };
    if (outcome === -3) return { kind: 'conflict', current: fromConflict(rest.map(String)) };
    throw unknownOutcome('saveSession', outcome);
  }

  async deleteSession(key: string): Promise<void> {
    const [outcome] = await this.inTime('delete the session', (latest) =>
      this.scripts.nestSessionDelete(key, latest),
    );
    if (outcome !== 1) throw unknownOutcome('deleteSession', outcome);
  }

  /** Tells the script when its caller gives up. Sends it once more if only the server's clock was not known. */
  private inTime(action: string, send: (latestMs: number) => Promise<RawReply>): Promise<Reply> {
    const giveUpMs = Date.now() + this.timeoutMs;
    const attempt = async () => {
      const sentMs = Date.now();
      const reply = await send(this.serverClock.toServerMs(giveUpMs - CLOCK_GRAIN_MS));
      const [outcome, serverMs] = [Number(reply[0]), Number(reply[1])];
      this.serverClock.adjust({ serverMs, sentMs, receivedMs: Date.now() });
      return [outcome, serverMs, ...reply.slice(2)] as const;
    };
    const attempts = async () => {
      const reply = await attempt();
      return reply[0] === TOO_LATE && Date.now() < giveUpMs ? attempt() : reply;
    };
    return withDeadline(action, this.timeoutMs, attempts());
  }
}

function unknownOutcome(script: string, outcome: number): SessionStoreError {
  const reason = outcome === TOO_LATE ? 'too late by the clock of Redis' : `it answered ${outcome}`;
  return SessionStoreError.create(`run ${script}`, new Error(reason));
}

function missingIfNoHash(error: unknown): Reply {
  if (isWrongType(error)) return [MISSING, NaN];
  throw error;
}

/** Whether a key that should hold a hash holds something else; Redis 6 puts words before the code. */
function isWrongType(error: unknown): boolean {
  const { cause } = error as SessionStoreError;
  return cause instanceof Error && cause.message.includes('WRONGTYPE');
}
