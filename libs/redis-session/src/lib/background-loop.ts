import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from './store-operation.js';
import { Outages } from './outage-log.js';
import { type SessionLogger } from './logger.js';

interface BackgroundLoopInput {
  /** For the log: completes "Cannot …". */
  readonly action: string;
  readonly logger: SessionLogger;
  /** Ms from the end of a turn to the next one. */
  readonly pauseMs: () => number;
  /** One turn. After one that rejects the next one comes as usual; the log is told when that begins, and when it has ended. */
  readonly turn: () => Promise<void>;
}

/** Repeats something in the background until it is stopped. Does not keep the process alive. */
export class BackgroundLoop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isRunning = false;
  private readonly failures: FailureLog;

  constructor(private readonly input: BackgroundLoopInput) {
    this.failures = new FailureLog(input.logger);
  }

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
    const { action, turn } = this.input;
    try {
      await turn();
      this.failures.worked();
    } catch (error) {
      this.failures.failed(`Cannot ${action}: ${reasonOf(error)}`);
    }
    if (this.isRunning) this.schedule();
  }
}

/** `maxMs` or up to a twentieth less: replicas that start together do not stay in step. */
export function jittered(maxMs: number): number {
  return maxMs * (1 - Math.random() / 20);
}

/** Tells the log of a failure when it begins and when it has ended, and not at every attempt as long as it lasts. */
export class FailureLog {
  private readonly outages = new Outages<'attempt'>();

  constructor(private readonly logger: SessionLogger) {}

  /** An attempt has failed. Each `message` is told once until attempts have worked for five seconds. */
  failed(message: string): void {
    if (this.outages.failed(message, 'attempt')) this.logger.warn(message);
  }

  /** An attempt has worked. */
  worked(): void {
    for (const sentence of this.outages.worked('attempt'))
      this.logger.warn(`Background work goes on. ${sentence}`);
  }
}

interface TryLaterOptions {
  /** Ms until the first attempt. */
  readonly delayMs: number;
  /** Whether no attempt can succeed any more. */
  readonly isOver: () => boolean;
  /** Ms after the first failure; twice as long after each further one. */
  readonly pauseMs: number;
}

/** With pauses of two seconds, the last attempt comes after four minutes. */
const MAX_ATTEMPTS = 8;

/** While Redis is gone, each request may leave some work for later. Callers leave out what is more than this. */
export const MAX_WORKS = 1000;

/** Does `work` in the background, again while it fails. Best effort: it gives up in the end, and holds up no process that ends. */
export async function tryLater(
  work: () => Promise<void>,
  { delayMs, isOver, pauseMs }: TryLaterOptions,
): Promise<void> {
  await delay(delayMs, undefined, { ref: false });
  for (let attempt = 1; !isOver(); attempt++) {
    try {
      await work();
      return;
    } catch {
      if (attempt === MAX_ATTEMPTS) return;
    }
    await delay(pauseMs * 2 ** (attempt - 1), undefined, { ref: false });
  }
}
