import type { ServerResponse } from 'node:http';
import { types } from 'node:util';

/** The calls by which bytes of a response leave. */
export type HeldMethod = 'writeHead' | 'write' | 'end' | 'flushHeaders';

/** The methods of a response as they were before it was wrapped. */
export type NativeMethods = Readonly<Record<HeldMethod, (...args: unknown[]) => unknown>>;

interface HeldCall {
  readonly method: HeldMethod;
  readonly args: unknown[];
}

/** The calls that wait for a commit, in the order in which the app made them. */
export class HeldCalls {
  private readonly calls: HeldCall[] = [];

  /** Bytes of body in the waiting calls. */
  length = 0;

  /** Whether a `write` was answered with false, so that its caller waits for `drain`. */
  hasRefusedWrite = false;

  hasEnd = false;

  /** @param isLate - whether the header has left before, so that no other response can be sent */
  constructor(readonly isLate: boolean) {}

  /** Appends a call and returns what Node would: false from `write`, because its caller has to wait. */
  add(response: ServerResponse, method: HeldMethod, args: unknown[]): unknown {
    this.calls.push({ method, args });
    if (method === 'flushHeaders') return undefined;
    if (method === 'writeHead') return response;
    this.length += chunkLength(args);
    if (method === 'end') {
      this.hasEnd = true;
      return response;
    }
    this.hasRefusedWrite = true;
    return false;
  }

  /** Changes the arguments of a waiting `writeHead`, which is always the first call. */
  changeHead(change: (args: readonly unknown[]) => unknown[]): void {
    const [head] = this.calls;
    if (head?.method === 'writeHead') this.calls[0] = { ...head, args: change(head.args) };
  }

  /**
   * Makes the waiting calls.
   *
   * @throws what a call throws; the calls after it still wait
   */
  replay(perform: (method: HeldMethod, args: unknown[]) => unknown): void {
    for (let call = this.calls.shift(); call !== undefined; call = this.calls.shift()) {
      perform(call.method, call.args);
    }
  }

  /** Forgets the waiting calls and tells each callback why. */
  drop(error: Error): void {
    for (const { args } of this.calls.splice(0)) reportTo(args, error);
  }
}

/** Calls the callback among `args`, if there is one, after the current operation, as streams do. */
export function reportTo(args: readonly unknown[], error?: Error): void {
  const callback = args.find((argument) => typeof argument === 'function');
  if (callback) process.nextTick(callback, error);
}

/** Whether Node throws at once for the chunk of this `write` or `end`, and sends nothing. */
export function hasInvalidChunk(method: HeldMethod, [chunk]: readonly unknown[]): boolean {
  if (method === 'end' && (!chunk || typeof chunk === 'function')) return false;
  if (method !== 'end' && method !== 'write') return false;
  return typeof chunk !== 'string' && !types.isUint8Array(chunk);
}

/** Bytes of body in the arguments of a `write` or `end`. */
export function chunkLength([chunk, encoding]: readonly unknown[]): number {
  if (typeof chunk !== 'string') return types.isUint8Array(chunk) ? chunk.byteLength : 0;
  return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as 'utf8') : 'utf8');
}
