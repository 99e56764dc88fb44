import type { IncomingMessage, ServerResponse } from 'node:http';
import { foreignProperty } from '../../lib/foreign-property.js';
import type { CookieSerializer } from './cookie-serializer.js';
import type { SessionIdAnnouncement, SessionIdResolver } from './session-id-resolver.js';

/** How a {@link CookieSessionIdResolver} keeps the cookie alive. */
export interface CookieSessionIdResolverOptions {
  /** Whether every answer carries the cookie, so that its Max-Age counts from the last request. */
  readonly rolling: boolean;
}

/**
 * Carries the session id in a cookie.
 *
 * A response gets at most one cookie of this resolver: a later call replaces it. Other cookies of the response stay.
 *
 * Mirrors `CookieHttpSessionIdResolver` of Spring Session.
 */
export class CookieSessionIdResolver implements SessionIdResolver {
  readonly #serializer: CookieSerializer;
  readonly #isRolling: boolean;
  readonly #signedWithOldSecret = foreignProperty<true>('signed with an old secret');
  readonly #sentLines = foreignProperty<string>('sent session cookie');

  constructor(serializer: CookieSerializer, options: CookieSessionIdResolverOptions) {
    this.#serializer = serializer;
    this.#isRolling = options.rolling;
  }

  /** The distinct values of the session cookies, in the order of the header. */
  resolveSessionIds(request: IncomingMessage): readonly string[] {
    const cookies = this.#serializer.readCookieValues(request);
    if (cookies.length === 0) return [];
    if (cookies.some((cookie) => cookie.isSignedWithOldSecret)) {
      this.#signedWithOldSecret.set(request, true);
    }
    return [...new Set(cookies.map((cookie) => cookie.value))];
  }

  /** Adds the session cookie to the response. */
  setSessionId(
    request: IncomingMessage,
    response: ServerResponse,
    { sessionId, maxAgeSeconds, cookie }: SessionIdAnnouncement,
  ): void {
    this.#send(response, this.#serializer.serialize(request, sessionId, maxAgeSeconds, cookie));
  }

  /** Adds the cookie that makes the browser delete the session cookie: the same name, path and domain, Max-Age 0. */
  expireSession(request: IncomingMessage, response: ServerResponse): void {
    this.#send(response, this.#serializer.serialize(request, ''));
  }

  /** True when the cookie rolls, or {@link resolveSessionIds} saw the signature of an old secret. */
  mustRenewSessionId(request: IncomingMessage): boolean {
    return this.#isRolling || this.#signedWithOldSecret.get(request) === true;
  }

  #send(response: ServerResponse, line: string): void {
    const earlier = this.#sentLines.get(response);
    const others = setCookieLinesOf(response).filter((other) => other !== earlier);
    response.setHeader('Set-Cookie', [...others, line]);
    this.#sentLines.set(response, line);
  }
}

function setCookieLinesOf(response: ServerResponse): readonly string[] {
  const header = response.getHeader('Set-Cookie') ?? [];
  return Array.isArray(header) ? header : [String(header)];
}
