import { inspect } from 'node:util';
import { type LoggerService } from '@nestjs/common';

/** A logger of Nest and of the library that keeps everything, with all that hangs on an error. */
export class LoggedLines implements LoggerService {
  readonly lines: string[] = [];
  readonly log = this.keep.bind(this);
  readonly error = this.keep.bind(this);
  readonly warn = this.keep.bind(this);
  readonly debug = this.keep.bind(this);
  readonly verbose = this.keep.bind(this);
  readonly fatal = this.keep.bind(this);

  /** All of it, as one text. */
  get text(): string {
    return this.lines.join('\n');
  }

  clear(): void {
    this.lines.length = 0;
  }

  private keep(...parts: unknown[]): void {
    this.lines.push(parts.map((part) => inspect(part, { depth: 10, showHidden: true })).join(' '));
  }
}
