import { type ServerResponse } from 'node:http';
import {
  clearMarks,
  hasInvalidChunk,
  type HeldMethod,
  isHttp2,
  markEnded,
  markHeld,
  type NativeMethods,
  streamOf,
  chunkLength,
} from './node-response.js';
import {
  applyHead,
  readStatusLine,
  rehearse,
  performOn,
  writeStatusLine,
  type StatusLine,
} from './response-head.js';

interface HeldCall {
  readonly method: HeldMethod;
  readonly args: unknown[];
}

/** A response whose calls wait for one commit; meanwhile it answers as if they had been sent. */
export class HeldResponse {
  /** In the order in which the app made them. */
  private readonly calls: HeldCall[] = [];
  /** Whether the header had left before, so that no other response can be sent. */
  readonly isLate: boolean;
  /** Bytes of body in the waiting calls. */
  length = 0;
  /** Whether a `write` was answered with false, so that its caller waits for `drain`. */
  hasRefusedWrite = false;
  hasEnd = false;
  private readonly dueStatus: StatusLine;
  private readonly rehearsal: ServerResponse | undefined;
  /** What the app got for its first call. */
  readonly firstResult: unknown;

  /** @throws what Node throws for `method` as the first call; then nothing is held */
  constructor(
    private readonly response: ServerResponse,
    private readonly native: NativeMethods,
    method: HeldMethod,
    args: unknown[],
  ) {
    this.isLate = response.headersSent;
    if (!this.isLate) this.rehearsal = rehearse(response, method, args);
    this.dueStatus = readStatusLine(response);
    if (!this.isLate) markHeld(response);
    this.firstResult = this.add(method, args);
  }

  /** Takes one more call, or refuses it as Node does after the calls that wait. */
  call(method: HeldMethod, args: unknown[]): unknown {
    if (this.hasEnd && isHttp2(this.response)) return this.refuseAfterEnd(method, args);
    if (this.isRefusedByNode(method, args))
      return Reflect.apply(this.native[method], this.response, args);
    if (this.rehearsal?.strictContentLength) performOn(this.rehearsal, method, args);
    return this.add(method, args);
  }

  /** Takes back the disguise: the response is again what has really been sent of it. */
  reveal(): void {
    clearMarks(this.response, this.isLate);
  }

  /** Puts the headers of a waiting `writeHead`, always the first call, on the response, so that others can be added. */
  applyHead(): void {
    const [head] = this.calls;
    if (head?.method === 'writeHead')
      this.calls[0] = { ...head, args: applyHead(this.response, head.args) };
  }

  /**
   * Makes the waiting calls on the revealed response.
   *
   * @throws what a call throws; the calls after it still wait
   */
  replay(perform: (method: HeldMethod, args: unknown[]) => unknown): void {
    const assignedStatus = readStatusLine(this.response);
    if (!this.isLate) writeStatusLine(this.response, this.dueStatus);
    for (let call = this.calls.shift(); call !== undefined; call = this.calls.shift()) {
      perform(call.method, call.args);
    }
    writeStatusLine(this.response, assignedStatus);
    if (this.hasRefusedWrite && !this.hasEnd) process.nextTick(emitDrain, this.response);
  }

  /** Forgets the waiting calls and tells each callback why. */
  drop(error: Error): void {
    for (const { args } of this.calls.splice(0)) reportTo(args, error);
  }

  /** Appends a call and returns what Node would: false from `write`, because its caller has to wait. */
  private add(method: HeldMethod, args: unknown[]): unknown {
    this.calls.push({ method, args });
    if (method === 'flushHeaders') return undefined;
    if (method === 'writeHead') return this.response;
    this.length += chunkLength(args);
    if (method === 'write') {
      this.hasRefusedWrite = true;
      return false;
    }
    this.hasEnd = true;
    markEnded(this.response);
    return this.response;
  }

  private isRefusedByNode(method: HeldMethod, args: unknown[]): boolean {
    if (method === 'writeHead') return true;
    if (method === 'flushHeaders') return false;
    if (this.hasEnd || hasInvalidChunk(method, args)) return true;
    return method === 'write' && this.response.destroyed;
  }

  /** HTTP/2 keeps its own note of `end`, which cannot be set from outside. */
  private refuseAfterEnd(method: HeldMethod, args: unknown[]): unknown {
    if (method !== 'write') {
      reportTo(args);
      return this.response;
    }
    const code = 'ERR_STREAM_WRITE_AFTER_END';
    const error = Object.assign(new Error('write after end'), { code });
    reportTo(args, error);
    this.response.destroy(error);
    return false;
  }
}

/** The replay, or a write since, may have filled the stream; then the stream itself will emit `drain`. */
function emitDrain(response: ServerResponse): void {
  const { writableNeedDrain } = isHttp2(response) ? streamOf(response) : response;
  if (!writableNeedDrain && !response.destroyed && !response.writableEnded) response.emit('drain');
}

/** Calls the callback among `args`, if there is one, after the current operation, as streams do. */
export function reportTo(args: readonly unknown[], error?: Error): void {
  const callback = args.find((argument) => typeof argument === 'function');
  if (callback) process.nextTick(callback, error);
}
