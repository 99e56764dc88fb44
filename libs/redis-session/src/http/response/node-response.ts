import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { types } from 'node:util';

/** The calls by which bytes of a response leave. */
export type HeldMethod = 'writeHead' | 'write' | 'end' | 'flushHeaders';

/** The methods of a response as they were before it was wrapped. */
export type NativeMethods = Readonly<Record<HeldMethod, (...args: unknown[]) => unknown>>;

/** The fields by which Node's HTTP/1 response knows how far it is, on Node 20 as on 24. Whole frameworks rely on them. */
interface Http1Fields {
  _header: string | null;
  _contentLength: number | null;
  finished: boolean;
}

/** Never sent: Node only asks whether there is a header. */
const HELD_HEADER = 'held';

/** Whether `response` belongs to the compatibility API of node:http2, which lacks the fields of HTTP/1. */
export function isHttp2(response: ServerResponse): boolean {
  return response.req.httpVersionMajor === 2;
}

/** Makes `response` answer as if a held header had been sent: `headersSent`, `setHeader` that throws. */
export function markHeld(response: ServerResponse): void {
  if (isHttp2(response)) {
    Object.defineProperty(streamOf(response), 'headersSent', { configurable: true, value: true });
  } else {
    http1(response)._header = HELD_HEADER;
  }
}

/** Makes `response` answer as if the held `end` had been done. */
export function markEnded(response: ServerResponse): void {
  if (isHttp2(response)) {
    Object.defineProperty(response, 'finished', { configurable: true, value: true });
    Object.defineProperty(response, 'writableEnded', { configurable: true, value: true });
  } else {
    http1(response).finished = true;
  }
}

/** Takes back `markHeld` and `markEnded`. @param isLate - whether the header had left before */
export function clearMarks(response: ServerResponse, isLate: boolean): void {
  if (isHttp2(response)) {
    Reflect.deleteProperty(response, 'finished');
    Reflect.deleteProperty(response, 'writableEnded');
    Reflect.deleteProperty(streamOf(response), 'headersSent');
    return;
  }
  http1(response).finished = false;
  if (!isLate) http1(response)._header = null;
}

/** The bytes of body that a sent HTTP/1 header announces; Infinity when the end is announced in another way. */
export function announcedLength(response: ServerResponse): number {
  return isHttp2(response) ? Infinity : (http1(response)._contentLength ?? Infinity);
}

function http1(response: ServerResponse): Http1Fields {
  return response as unknown as Http1Fields;
}

/** The HTTP/2 stream under a response of the compatibility API. */
export function streamOf(response: ServerResponse): ServerHttp2Stream {
  return (response as unknown as { stream: ServerHttp2Stream }).stream;
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
