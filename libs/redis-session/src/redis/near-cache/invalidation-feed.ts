import { type Redis } from 'ioredis';
import { type SessionLogger } from '../../lib/logger.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { BackgroundLoop } from '../../lib/background-loop.js';
import { InvalidationLink } from './invalidation-link.js';

/** Often enough that one late answer is not taken for a broken connection. */
const HEARTBEAT_MS = 500;

/** What is kept is not used when the last proof that nothing goes unreported is older. */
export const MAX_SILENCE_MS = 1500;

/** What an {@link InvalidationFeed} is told. */
export interface InvalidationFeedInit {
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

  constructor(private readonly init: InvalidationFeedInit) {
    this.loop = new BackgroundLoop({
      action: 'watch the sessions of the near cache',
      logger: init.logger,
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
    if (this.isStopped || this.init.client.status !== 'ready') return;
    try {
      await this.open();
      if (this.isBypassReported) this.init.logger.warn('The near cache is in use again.');
      this.isBypassReported = false;
    } catch (error) {
      this.reportBypass(error);
    }
  }

  private async open(): Promise<void> {
    const { onInvalidated } = this.init;
    const onLost = (): void => onInvalidated(undefined);
    const link = new InvalidationLink({ ...this.init, onLost });
    await link.open();
    this.link = link;
  }

  /** Once, not once per attempt. */
  private reportBypass(error: unknown): void {
    if (this.isBypassReported) return;
    this.isBypassReported = true;
    const reason = error instanceof Error ? error.message : 'unknown reason';
    this.init.logger.warn(
      `The near cache is bypassed, each request reads its session from Redis: ${reason}`,
    );
  }
}
