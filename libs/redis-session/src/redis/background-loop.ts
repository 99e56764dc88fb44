import { type SessionLogger } from '../session/session-logger.js';

/** What a {@link BackgroundLoop} does and how often. */
export interface BackgroundLoopInput {
  /** For the log: completes "Cannot …". */
  readonly action: string;
  readonly logger: SessionLogger;
  /** Ms from the end of a turn to the next one. */
  readonly pauseMs: () => number;
  /** One turn. A turn that rejects is logged, and the next one comes as usual. */
  readonly turn: () => Promise<void>;
}

/** Repeats something in the background until it is stopped. Does not keep the process alive. */
export class BackgroundLoop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isRunning = false;

  constructor(private readonly input: BackgroundLoopInput) {}

  /** Does nothing when it runs already. */
  start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.schedule();
  }

  /** Resolves when the turn under way has ended. */
  async stop(): Promise<void> {
    this.isRunning = false;
    clearTimeout(this.timer);
    await this.running;
  }

  private schedule(): void {
    this.timer = setTimeout(() => {
      this.running = this.takeTurn();
    }, this.input.pauseMs()).unref();
  }

  private async takeTurn(): Promise<void> {
    const { action, logger, turn } = this.input;
    try {
      await turn();
    } catch (error) {
      logger.warn(`Cannot ${action}: ${error instanceof Error ? error.message : 'unknown reason'}`);
    }
    if (this.isRunning) this.schedule();
  }
}

/** Between half and one and a half of `ms`: replicas that start together do not stay in step. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random());
}
