import { type SessionLogger } from '../session/session-logger.js';

/** Warns of a failure when it begins, and not at every attempt as long as it lasts. */
export class FailureLog {
  private readonly told = new Set<string>();

  constructor(private readonly logger: SessionLogger) {}

  /** An attempt has failed. Each `message` is told once until an attempt has worked. */
  failed(message: string): void {
    if (this.told.has(message)) return;
    this.told.add(message);
    this.logger.warn(message);
  }

  /** An attempt has worked: the next failure is a new one. */
  worked(): void {
    this.told.clear();
  }
}
