import { once } from 'node:events';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ProblemAnswer } from '../../../libs/redis-session/src/http/answers/http-answer.js';
import type { ResponseCommitter } from '../../../libs/redis-session/src/http/response/response-committer.js';

/** A committer whose commits end when the test says so. */
export class ScriptedCommitter implements ResponseCommitter {
  isDirty: boolean;
  readonly cookies: string[] = [];
  readonly lateFailures: unknown[] = [];
  /** What happened, in order: `commit`, `headers`. */
  readonly history: string[] = [];
  failed: ProblemAnswer = {
    statusCode: 503,
    headers: { 'Content-Type': 'text/plain' },
    body: 'not saved',
  };
  private readonly events = new EventEmitter();
  private readonly pending: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor({ isDirty = true, cookies = [] as string[] } = {}) {
    this.isDirty = isDirty;
    this.cookies.push(...cookies);
  }

  needsCommit(): boolean {
    return this.isDirty;
  }

  commit(): Promise<void> {
    this.history.push('commit');
    this.isDirty = false;
    return new Promise((resolve, reject) => {
      this.pending.push({ resolve, reject });
      this.events.emit('commit');
    });
  }

  hasHeadersToWrite(): boolean {
    return this.cookies.length > 0;
  }

  writeHeaders(response: ServerResponse): void {
    this.history.push('headers');
    for (const cookie of this.cookies) response.appendHeader('Set-Cookie', cookie);
  }

  describeFailure(): ProblemAnswer {
    return this.failed;
  }

  onLateFailure(error: unknown): void {
    this.lateFailures.push(error);
    this.events.emit('late');
  }

  /** Resolves when a commit has begun that is not ended yet. */
  async started(): Promise<void> {
    if (this.pending.length === 0) await once(this.events, 'commit');
  }

  async failedLate(): Promise<void> {
    if (this.lateFailures.length === 0) await once(this.events, 'late');
  }

  succeed(): void {
    this.pending.shift()?.resolve();
  }

  fail(error: unknown = new Error('Redis is down')): void {
    this.pending.shift()?.reject(error);
  }
}
