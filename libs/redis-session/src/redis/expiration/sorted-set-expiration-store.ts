import { BackgroundLoop, jittered } from '../../lib/background-loop.js';
import { withDeadline } from '../../lib/store-operation.js';
import { type SessionLogger } from '../../lib/logger.js';
import { type SessionChange } from '../../session/session-change.js';
import { groupsOf, type RedisClient } from '../client/redis-client.js';
import { type Script, scriptOf } from '../client/script.js';
import { type IndexedSessionCommands } from '../indexed/indexed-session.commands.js';
import { type IndexedSessionKeys } from '../indexed/indexed-session.keys.js';
import { entriesOf } from '../indexed/session-index.js';
import { type SessionIndexing } from '../indexed/session-indexing.js';
import { claimDue } from '../lua/scripts.generated.js';

/** What a {@link SortedSetExpirationStore} works with. */
export interface SortedSetExpirationInput {
  readonly client: RedisClient;
  /** Epoch ms. */
  readonly clock: () => number;
  readonly commands: IndexedSessionCommands;
  readonly commandTimeoutMs: number;
  readonly indexing: SessionIndexing;
  readonly keys: IndexedSessionKeys;
  readonly logger: SessionLogger;
}

/** Small enough that neither script nor pipeline holds up Redis. */
const BATCH_SIZE = 100;
/** Much longer than a batch takes, and than clocks differ. */
const LEASE_MS = 30_000;
/** An expired session is found at most so long after its time. */
const MAX_PAUSE_MS = 1900;

/**
 * Keeps, for each partition, the moments at which sessions are to be looked at. Requests never move them: a session that
 * is due but was used meanwhile is scheduled anew by the worker.
 *
 * ```
 * nest:session:{7}:sessions:expirations   sorted set   4fQz81Lwr0Y… 1404361800000
 * ```
 *
 * Every replica may run the worker. It claims a bounded batch, the oldest first, by moving it half a minute ahead; whoever
 * dies hands it on by that. Ending a session and its event are one step, so nothing is done twice or left half done.
 * Needs no keyspace notifications and no CONFIG. Mirrors `SortedSetRedisSessionExpirationStore` of Spring Session.
 */
export class SortedSetExpirationStore implements ExpirationStore {
  private readonly claimDue: Script<string[]>;
  private readonly loop: BackgroundLoop;

  constructor(private readonly input: SortedSetExpirationInput) {
    const { client, logger } = input;
    // The keys come first on a Redis Cluster, where auto-pipelining takes the first argument for the key.
    const { isCluster } = client;
    const script = { ...claimDue, ...(isCluster && { numberOfKeys: 1 }) };
    this.claimDue = scriptOf(client, 'nestExpirationClaim', script);
    this.loop = new BackgroundLoop({
      action: 'end expired sessions',
      logger,
      pauseMs: () => jittered(MAX_PAUSE_MS),
      turn: async () => {
        await this.cleanUp();
      },
    });
  }

  /** Nothing: the worker will see it. */
  afterAccess(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing: the script of the save has done it. */
  afterSave(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing: the script of the deletion has done it. */
  afterDelete(): Promise<void> {
    return Promise.resolve();
  }

  start(): Promise<void> {
    this.loop.start();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Works off all that is due and not claimed by others. @returns how many sessions it has ended */
  async cleanUp(): Promise<number> {
    const { client, keys } = this.input;
    const ended = await Promise.all(
      groupsOf(client, keys.partitions).map((group) => this.cleanUpGroup(group)),
    );
    return ended.reduce((sum, count) => sum + count, 0);
  }

  /** The ids of at most `BATCH_SIZE` due sessions of partitions, which are this worker's for half a minute. */
  async claim(...partitions: readonly string[]): Promise<readonly string[]> {
    const { client, clock, commandTimeoutMs, keys } = this.input;
    const now = clock();
    const sets = partitions.map((partition) => keys.expirations(partition));
    const claim = this.claimDue(
      ...[...(client.isCluster ? [] : [sets.length]), ...sets, now, now + LEASE_MS, BATCH_SIZE],
    );
    return withDeadline('claim expired sessions', commandTimeoutMs, claim);
  }

  private async cleanUpGroup(group: readonly string[]): Promise<number> {
    let ended = 0;
    for (;;) {
      const ids = await this.claim(...group);
      const results = await Promise.all(ids.map((id) => this.endIfExpired(id)));
      ended += results.filter(Boolean).length;
      if (ids.length < BATCH_SIZE) return ended;
    }
  }

  private async endIfExpired(id: string): Promise<boolean> {
    const { clock, commands, indexing } = this.input;
    const outcome = await commands.end({ id, kind: 'expired', nowMs: clock() });
    if (outcome.kind === 'none') return false;
    const entries = [...entriesOf(outcome.fields).values()];
    if (outcome.kind === 'ended') {
      await indexing.remove(id, entries);
      return true;
    }
    await indexing.renew(id, entries, Number(outcome.expiry.replace('+inf', 'Infinity')));
    return false;
  }
}

/** Finds out that sessions have ended, and ends them. Counterpart of `RedisSessionExpirationStore` of Spring Session. */
export interface ExpirationStore {
  /** The access to the session has been recorded. */
  afterAccess(sessionId: string): Promise<void>;
  /** `change` is stored. */
  afterSave(change: SessionChange): Promise<void>;
  /** The session has been deleted; `fields` of its hash that are no attributes, names and values in turn. */
  afterDelete(sessionId: string, fields: readonly string[]): Promise<void>;
  /** Begins to look for sessions that have ended. */
  start(): Promise<void>;
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}
