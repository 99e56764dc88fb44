import { ServerResponse, type OutgoingHttpHeader } from 'node:http';
import { hasInvalidChunk, type HeldMethod, isHttp2, type NativeMethods } from './node-response.js';

type HeaderPairs = readonly (readonly [string, OutgoingHttpHeader])[];

/** The status line that was due when the response was held; whatever is assigned later must not change it. */
export type StatusLine = Readonly<Pick<ServerResponse, 'statusCode' | 'statusMessage'>>;

/** The status line as the app sees it now. HTTP/2 has no message. */
export function readStatusLine(response: ServerResponse): StatusLine {
  const statusMessage = isHttp2(response) ? '' : response.statusMessage;
  return { statusCode: response.statusCode, statusMessage };
}

/** Makes `line` the status line of `response`. */
export function writeStatusLine(response: ServerResponse, line: StatusLine): void {
  response.statusCode = line.statusCode;
  // To assign what it inherits would give the response a property of its own, which is dear on Express.
  if (!isHttp2(response) && response.statusMessage !== line.statusMessage)
    response.statusMessage = line.statusMessage;
}

/**
 * Runs the first held call on a response without a socket, so that its caller gets every error that Node would throw. Leaves
 * the status of an explicit `writeHead` on `response`, as Node does.
 *
 * @returns the rehearsal, to be kept when later calls can throw too (`strictContentLength`)
 */
export function rehearse(
  response: ServerResponse,
  method: HeldMethod,
  args: unknown[],
): ServerResponse | undefined {
  if (isHttp2(response) && !hasInvalidChunk(method, args)) {
    if (method === 'writeHead') applyHead(response, args);
    return undefined;
  }
  const rehearsal = new ServerResponse(response.req);
  rehearsal.strictContentLength = response.strictContentLength;
  rehearsal.sendDate = response.sendDate;
  writeStatusLine(rehearsal, readStatusLine(response));
  for (const name of rawHeaderNames(response)) {
    rehearsal.setHeader(name, response.getHeader(name) as OutgoingHttpHeader);
  }
  performOn(rehearsal, method, args);
  writeStatusLine(response, readStatusLine(rehearsal));
  return rehearsal;
}

/** Makes a call on a rehearsal, without the callback: that must run once only. */
export function performOn(
  rehearsal: ServerResponse,
  method: HeldMethod,
  args: readonly unknown[],
): void {
  const methods = rehearsal as unknown as NativeMethods;
  const rest = args.filter((argument) => typeof argument !== 'function');
  Reflect.apply(methods[method], rehearsal, rest);
}

/**
 * Moves the headers that were given to `writeHead` into the response, so that others can be added to them. Node lets them
 * replace those of `setHeader`, and sends a name that an array repeats once per value. @returns the arguments that are left
 */
export function applyHead(response: ServerResponse, args: readonly unknown[]): unknown[] {
  const [statusCode, reason, headers] = args;
  const hasReason = typeof reason === 'string';
  const seen = new Set<string>();
  for (const [name, value] of headerPairs(headers ?? (hasReason ? undefined : reason))) {
    if (seen.has(name.toLowerCase())) response.appendHeader(name, value as string);
    else response.setHeader(name, copyOf(value));
    seen.add(name.toLowerCase());
  }
  if (isHttp2(response)) response.statusCode = statusCode as number;
  return hasReason ? [statusCode, reason] : [statusCode];
}

/**
 * Gives the response its own copy of the app's Set-Cookie list: `appendHeader` pushes into the array that the app passed to
 * `setHeader`. If requests share it, one client's session id would be sent to others.
 */
export function detachSetCookie(response: ServerResponse): void {
  const value = response.getHeader('set-cookie');
  if (!Array.isArray(value)) return;
  const name = rawHeaderNames(response).find((raw) => raw.toLowerCase() === 'set-cookie');
  response.setHeader(name ?? 'set-cookie', [...value]);
}

/** The header names as the app wrote them; HTTP/2 has lower case only. */
function rawHeaderNames(response: ServerResponse): string[] {
  const { getRawHeaderNames } = response as { getRawHeaderNames?: () => string[] };
  return getRawHeaderNames?.call(response) ?? response.getHeaderNames();
}

/** The three forms that `writeHead` takes: an object, a list of pairs, a flat list of names and values. */
function headerPairs(headers: unknown): HeaderPairs {
  if (!Array.isArray(headers)) {
    const pairs = Object.entries((headers ?? {}) as Record<string, OutgoingHttpHeader>);
    return pairs.filter(([name]) => name !== '');
  }
  const list: readonly unknown[] = headers;
  if (Array.isArray(list[0])) return list as HeaderPairs;
  const pairs: [string, OutgoingHttpHeader][] = [];
  for (let index = 0; index < list.length; index += 2) {
    pairs.push([list[index] as string, list[index + 1] as OutgoingHttpHeader]);
  }
  return pairs;
}

function copyOf(value: OutgoingHttpHeader): OutgoingHttpHeader {
  return Array.isArray(value) ? value.slice() : value;
}
