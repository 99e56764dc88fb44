import { validateHeaderName, type IncomingMessage, type ServerResponse } from 'node:http';
import { SessionOptionError } from '../../session/session.errors.js';
import type { SessionIdAnnouncement, SessionIdResolver } from './session-id-resolver.js';

/**
 * Carries the session id in a header of the request and of the response, for clients that keep no cookies.
 *
 * Mirrors `HeaderHttpSessionIdResolver` of Spring Session.
 */
export class HeaderSessionIdResolver implements SessionIdResolver {
  readonly #responseHeader: string;
  readonly #requestHeader: string;

  /** @throws {@link SessionOptionError} when `headerName` is no token of RFC 9110 §5.6.2 */
  constructor(headerName: string) {
    refuseInvalidName(headerName);
    this.#responseHeader = headerName;
    this.#requestHeader = headerName.toLowerCase();
  }

  /** Carries the id in `X-Auth-Token`. */
  static xAuthToken(): HeaderSessionIdResolver {
    return new HeaderSessionIdResolver('X-Auth-Token');
  }

  /** Carries the id in `Authentication-Info`, RFC 7615. */
  static authenticationInfo(): HeaderSessionIdResolver {
    return new HeaderSessionIdResolver('Authentication-Info');
  }

  /** The first value of the header; Node joins repeated headers with a comma, which no id contains. */
  resolveSessionIds(request: IncomingMessage): readonly string[] {
    const header = request.headers[this.#requestHeader];
    const [first = ''] = typeof header === 'string' ? header.split(',', 1) : (header ?? []);
    const sessionId = first.trim();
    return sessionId === '' ? [] : [sessionId];
  }

  /** Sets the header, in place of an earlier one. */
  setSessionId(
    _request: IncomingMessage,
    response: ServerResponse,
    { sessionId }: SessionIdAnnouncement,
  ): void {
    response.setHeader(this.#responseHeader, sessionId);
  }

  /** Sets the header to the empty string. */
  expireSession(_request: IncomingMessage, response: ServerResponse): void {
    response.setHeader(this.#responseHeader, '');
  }
}

function refuseInvalidName(headerName: string): void {
  try {
    validateHeaderName(headerName);
  } catch {
    const got = JSON.stringify(headerName);
    throw new SessionOptionError(`headerName must be a valid header name, got ${got}.`);
  }
}
