import { type Redis } from 'ioredis';
import { BackgroundLoop } from '../../lib/background-loop.js';
import { reasonOf, withDeadline } from '../../lib/store-operation.js';
import { type SessionLogger } from '../../lib/logger.js';
import { SessionOptionError } from '../../session/session.errors.js';

/** Often enough that one late answer is not taken for a broken connection. */
const HEARTBEAT_MS = 500;

/** What is kept is not used when the last proof that nothing goes unreported is older. */
const MAX_SILENCE_MS = 1500;

interface InvalidationFeedInput {
  /** The connection over which sessions are read. */
  readonly client: Redis;
  readonly commandTimeoutMs: number;
  readonly logger: SessionLogger;
  /** Start of the keys that are watched. */
  readonly prefix: string;
  /** undefined = any key may have changed */
  readonly onInvalidated: (key: string | undefined) => void;
}

/**
 * Reports which keys have changed, as long as it {@link isTrusted}: over one {@link InvalidationLink} after the other, each
 * of which is asked twice a second for a sign of life.
 */
export class InvalidationFeed {
  private readonly loop: BackgroundLoop;
  private link: InvalidationLink | undefined;
  private isBypassReported = false;
  private isStopped = false;

  constructor(private readonly input: InvalidationFeedInput) {
    this.loop = new BackgroundLoop({
      action: 'watch the sessions of the near cache',
      logger: input.logger,
      pauseMs: () => HEARTBEAT_MS,
      turn: () => this.takeTurn(),
    });
  }

  /** Whether every change until {@link MAX_SILENCE_MS} ago at the latest has been reported. */
  get isTrusted(): boolean {
    return this.link !== undefined && this.link.silenceMs <= MAX_SILENCE_MS;
  }

  /** @throws SessionOptionError when this Redis cannot report changes */
  async start(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      if (error instanceof SessionOptionError) throw error;
      this.reportBypass(error);
    }
    this.loop.start();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.loop.stop();
    this.link?.close();
  }

  private async takeTurn(): Promise<void> {
    if (this.link && this.link.silenceMs !== Infinity) return this.link.prove(MAX_SILENCE_MS);
    if (this.isStopped || this.input.client.status !== 'ready') return;
    try {
      await this.open();
      if (this.isBypassReported) this.input.logger.warn('The near cache is in use again.');
      this.isBypassReported = false;
    } catch (error) {
      this.reportBypass(error);
    }
  }

  private async open(): Promise<void> {
    const { onInvalidated } = this.input;
    const onLost = (): void => onInvalidated(undefined);
    const link = new InvalidationLink({ ...this.input, onLost });
    await link.open();
    this.link = link;
  }

  /** Once, not once per attempt. */
  private reportBypass(error: unknown): void {
    if (this.isBypassReported) return;
    this.isBypassReported = true;
    this.input.logger.warn(
      `The near cache is bypassed until Redis reports changes again: ${reasonOf(error)}. Each request reads its session from Redis.`,
    );
  }
}

/** Where Redis reports changed keys to clients that speak RESP2. */
const CHANNEL = '__redis__:invalidate';

interface InvalidationLinkInput extends Omit<InvalidationFeedInput, 'logger'> {
  /** The connection is gone. Called at most once. */
  readonly onLost: () => void;
}

/**
 * One connection over which Redis reports every change of a key of the prefix, as long as it lives. Then another is
 * needed: nothing of it is repaired.
 *
 * ```
 * CLIENT TRACKING ON REDIRECT <own id> BCAST PREFIX nest:session:sessions:
 * SUBSCRIBE __redis__:invalidate
 * ```
 * It watches and listens by itself: with the usual `REDIRECT` from the connection that reads, Redis goes on reading in
 * silence when the listener dies. `BCAST` reports keys that nobody on this connection has read. No `NOLOOP`: Redis reports
 * a key that two clients change at the same time as changed by the last of them alone, so a change of another
 * client just before one of ours would go unreported.
 */
export class InvalidationLink {
  private readonly connection: Redis;
  private isClosed = false;
  private isOpen = false;
  private provenMs = -Infinity;

  constructor(private readonly input: InvalidationLinkInput) {
    const { client, commandTimeoutMs } = input;
    this.connection = client.duplicate({
      autoResubscribe: false,
      connectTimeout: commandTimeoutMs,
      enableAutoPipelining: false,
      enableOfflineQueue: false,
      // SUBSCRIBE would get it as well.
      keyPrefix: '',
      lazyConnect: true,
      // Of RESP3, ioredis passes no invalidations on.
      protocol: 2,
      retryStrategy: () => null,
      sentinelRetryStrategy: () => null,
    });
    this.connection.on('error', () => undefined);
    this.connection.on('close', this.onClose);
    // Sessions may be read from another server from then on.
    client.on('close', this.onClose);
    this.connection.on('messageBuffer', (channel: Buffer, keys: unknown) => {
      if (channel.toString() === CHANNEL) this.report(keys);
    });
  }

  /**
   * Ms since the last moment of which it is certain that all changes before it have been reported; Infinity when none will be.
   */
  get silenceMs(): number {
    return this.isOpen ? performance.now() - this.provenMs : Infinity;
  }

  /** @throws SessionOptionError when Redis cannot report changes. @throws Error when it cannot be reached */
  async open(): Promise<void> {
    const { commandTimeoutMs } = this.input;
    const startMs = performance.now();
    try {
      await withDeadline('connect', commandTimeoutMs, this.connection.connect());
      const refusal = await withDeadline('watch the sessions', commandTimeoutMs, this.watch());
      if (refusal) throw refusal;
      if (this.isClosed) throw new Error('the connection is closed');
      this.provenMs = startMs;
      this.isOpen = true;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Answers after all that Redis had to report before. Ends the link when the answer is too late. */
  async prove(deadlineMs: number): Promise<void> {
    const sentMs = performance.now();
    try {
      await withDeadline('ping', deadlineMs, this.connection.ping());
      this.provenMs = sentMs;
    } catch {
      this.close();
    }
  }

  /** Does nothing when it is closed. */
  close(): void {
    this.isClosed = true;
    this.input.client.off('close', this.onClose);
    this.connection.disconnect();
    if (!this.isOpen) return;
    this.isOpen = false;
    this.input.onLost();
  }

  private readonly onClose = (): void => this.close();

  /** @returns why this Redis cannot do it */
  private async watch(): Promise<SessionOptionError | undefined> {
    const { connection } = this;
    if (await this.isClusterNode()) {
      return new SessionOptionError(
        'nearCache must be left out on a Redis Cluster, whose nodes report changes of their own keys only. Leave it out, or use one server or Sentinel.',
      );
    }
    try {
      const id = String(await connection.client('ID'));
      const watched = ['BCAST', 'PREFIX', this.input.prefix];
      await connection.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, ...watched);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
      return new SessionOptionError(
        `nearCache must be left out with this Redis, which refuses CLIENT TRACKING (${reasonOf(error)}). Leave it out, or allow the command.`,
      );
    }
    await connection.subscribe(CHANNEL);
    return undefined;
  }

  /** @throws Error when the two connections lead to different servers, as after a failover or behind a proxy */
  private async isClusterNode(): Promise<boolean> {
    const [own, other] = await Promise.all([
      this.connection.info('server'),
      this.input.client.info('server'),
    ]);
    const runId = /run_id:\w+/.exec(own)?.[0];
    if (runId === undefined || !other.includes(runId))
      throw new Error('the connections to Redis lead to different servers');
    return /^(redis|server)_mode:cluster/m.test(own);
  }

  private report(keys: unknown): void {
    const { onInvalidated } = this.input;
    if (!Array.isArray(keys)) return onInvalidated(undefined);
    for (const key of keys) onInvalidated(String(key));
  }
}
