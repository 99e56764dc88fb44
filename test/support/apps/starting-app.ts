import { afterEach } from '@jest/globals';
import { type INestApplication } from '@nestjs/common';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { LoggedLines } from './logged-lines.js';
import { createApp } from './start-app.js';

/** One application that a test tries to start. */
class StartingApp {
  readonly log = new LoggedLines();
  private app: INestApplication | undefined;

  /** Closes the one that a test has started before. */
  async start(options: RedisSessionModuleOptions): Promise<void> {
    await this.close();
    this.app = await createApp('express', { options, log: this.log });
    await this.app.init();
  }

  /** @returns the error as text, or 'started' */
  outcomeOf(options: RedisSessionModuleOptions): Promise<string> {
    return this.start(options).then(
      () => 'started',
      (error: unknown) => String(error),
    );
  }

  async close(): Promise<void> {
    await this.app?.close();
    this.app = undefined;
  }
}

/** Closes it after each test of the file. */
export function useStartingApp(): StartingApp {
  const app = new StartingApp();
  afterEach(() => app.close());
  return app;
}
