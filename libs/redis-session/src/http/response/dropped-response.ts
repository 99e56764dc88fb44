import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { announcedLength, isHttp2, type NativeMethods, streamOf } from './node-response.js';
import type { ProblemAnswer } from '../answers/http-answer.js';

/** Headers that belong to the connection, not to the response that is dropped. */
const KEPT_HEADERS: ReadonlySet<string> = new Set(['connection', 'date']);

/** Headers that belong to a body, or to where it is found; the others are CORS, tracing and the like. */
const BODY_HEADERS = /^(?:content-|etag$|last-modified$|location$|transfer-encoding$)/i;

/** Sends `failed` in place of a response of which nothing has left. @returns false when Node refuses its status or headers */
export function sendInstead(
  response: ServerResponse,
  native: NativeMethods,
  failed: ProblemAnswer,
): boolean {
  for (const name of response.getHeaderNames()) {
    if (!KEPT_HEADERS.has(name.toLowerCase())) response.removeHeader(name);
  }
  if (isHttp2(response)) dropTrailers(response);
  else response.statusMessage = '';
  response.on('unpipe', destroyAbandoned);
  const headers = { ...failed.headers, 'Content-Length': Buffer.byteLength(failed.body) };
  try {
    native.writeHead.call(response, failed.statusCode, headers);
    if (response.req.method === 'HEAD') native.end.call(response);
    else native.end.call(response, failed.body, 'utf8');
    return true;
  } catch {
    return false;
  }
}

/** Whether a header of this name says something of a body, or of where it is found. */
export function isOfBody(headerName: string): boolean {
  return BODY_HEADERS.test(headerName);
}

/** Takes back what belongs to a body that is not sent, so that another response can be made of this one. */
export function forgetBody(response: ServerResponse): void {
  for (const name of response.getHeaderNames()) {
    if (isOfBody(name)) response.removeHeader(name);
  }
  if (!isHttp2(response)) response.statusMessage = '';
}

/** Ends a response whose client is gone, so that it reads as ended; nothing is sent. */
export function endSilently(response: ServerResponse, native: NativeMethods): void {
  try {
    native.end.call(response);
  } catch {
    // Node refuses the header that nobody will read.
  }
}

/**
 * Breaks a response whose header has left, so that the client cannot take it for a complete one. A body that ends with the
 * connection looks complete after an orderly close: there the connection is reset.
 */
export function breakOff(response: ServerResponse): void {
  if (isHttp2(response)) {
    response.destroy(new Error('Cannot end the response: its session could not be saved.'));
    return;
  }
  const endsWithConnection = !response.chunkedEncoding && announcedLength(response) === Infinity;
  try {
    if (endsWithConnection) response.socket?.resetAndDestroy();
  } catch {
    // Only plain TCP can be reset. TLS needs no reset: a missing close_notify says that the body is cut off.
  }
  response.destroy();
}

/** The error for the callbacks of calls that were dropped. */
export function droppedError(cause: unknown): Error {
  const message =
    'Cannot send the response: its session could not be saved, or the client is gone. See the cause.';
  return Object.assign(new Error(message, { cause }), { code: 'ERR_SESSION_RESPONSE_DROPPED' });
}

/** A source that nobody else reads would keep its file or connection open for ever. */
function destroyAbandoned(source: Readable): void {
  if (source.listenerCount('data') === 0) source.destroy();
}

/** Trailers of the dropped response cannot be taken back, but Node only sends them to this listener. */
function dropTrailers(response: ServerResponse): void {
  const stream = streamOf(response);
  stream.removeAllListeners('wantTrailers');
  stream.once('wantTrailers', () => {
    stream.sendTrailers({});
  });
}
