import { type IncomingMessage, type ServerResponse, validateHeaderName } from 'node:http';
import { foreignProperty } from '../../lib/foreign-property.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { type SessionCookieSettings } from './session-cookie.js';
import { CookieSerializer, type CookieSerializerOptions } from './cookie-serializer.js';

/** The session id that is to be announced to the client, and how the client shall keep it. */
export interface SessionIdAnnouncement {
  /** In place of the resolver's own settings, if it has a cookie. */
  readonly cookie?: SessionCookieSettings | undefined;
  /** The id as the client sends it back. */
  readonly sessionId: string;
  /** Seconds the client shall keep the id; null = until it is closed, undefined = the resolver's own setting. */
  readonly maxAgeSeconds?: number | null | undefined;
}

/**
 * Finds the session id in a request and tells the client the id of its session: once, right before the headers are sent.
 * Mirrors `HttpSessionIdResolver` of Spring Session.
 */
export interface SessionIdResolver {
  /** The candidate ids of the request, best first. Forged or malformed ones are left out. The first sixteen are looked up. */
  resolveSessionIds(request: IncomingMessage): readonly string[];
  /** Tells the client the id of its session. */
  setSessionId(
    request: IncomingMessage,
    response: ServerResponse,
    announcement: SessionIdAnnouncement,
  ): void;
  /** Tells the client to forget the id of its session, which has ended. */
  expireSession(request: IncomingMessage, response: ServerResponse): void;
  /** Whether the client must be told the id although it has not changed: its Max-Age rolls, or an old secret has signed it. */
  mustRenewSessionId?(request: IncomingMessage): boolean;
}

/** Asks several resolvers and tells all of them. Mirrors `CompositeHttpSessionIdResolver` of Spring Session. */
export class CompositeSessionIdResolver implements SessionIdResolver {
  readonly #delegates: readonly SessionIdResolver[];

  /** @throws SessionOptionError when there is no delegate: no session would ever be found */
  constructor(delegates: readonly SessionIdResolver[]) {
    if (delegates.length === 0) {
      throw new SessionOptionError('delegates must be at least one resolver, got none.');
    }
    this.#delegates = [...delegates];
  }

  resolveSessionIds(request: IncomingMessage): readonly string[] {
    const ids = this.#delegates.flatMap((delegate) => delegate.resolveSessionIds(request));
    return [...new Set(ids)];
  }

  setSessionId(
    request: IncomingMessage,
    response: ServerResponse,
    announcement: SessionIdAnnouncement,
  ): void {
    for (const delegate of this.#delegates) delegate.setSessionId(request, response, announcement);
  }

  expireSession(request: IncomingMessage, response: ServerResponse): void {
    for (const delegate of this.#delegates) delegate.expireSession(request, response);
  }

  mustRenewSessionId(request: IncomingMessage): boolean {
    return this.#delegates.some((delegate) => delegate.mustRenewSessionId?.(request) ?? false);
  }
}

/**
 * Carries the session id in a header of the request and of the response, for clients that keep no cookies. Mirrors
 * `HeaderHttpSessionIdResolver` of Spring Session.
 */
export class HeaderSessionIdResolver implements SessionIdResolver {
  readonly #responseHeader: string;
  readonly #requestHeader: string;

  /** @throws SessionOptionError when `headerName` is no token of RFC 9110 §5.6.2 */
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

  setSessionId(
    _request: IncomingMessage,
    response: ServerResponse,
    { sessionId }: SessionIdAnnouncement,
  ): void {
    response.setHeader(this.#responseHeader, sessionId);
  }

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

/**
 * Carries the session id in a cookie. A response gets at most one: a later call replaces it, and other cookies stay. Mirrors
 * `CookieHttpSessionIdResolver` of Spring Session.
 */
export class CookieSessionIdResolver implements SessionIdResolver {
  readonly #serializer: CookieSerializer;
  readonly #isRolling: boolean;
  readonly #signedWithOldSecret = foreignProperty<true>('signed with an old secret');
  readonly #sentLines = foreignProperty<string>('sent session cookie');

  private constructor(options: CookieSerializerOptions) {
    this.#serializer = new CookieSerializer(options);
    this.#isRolling = options.rolling;
  }

  /** @internal */
  static of(options: CookieSerializerOptions): CookieSessionIdResolver {
    return new CookieSessionIdResolver(options);
  }

  resolveSessionIds(request: IncomingMessage): readonly string[] {
    const cookies = this.#serializer.readCookieValues(request);
    if (cookies.length === 0) return [];
    if (cookies.some(({ isOld }) => isOld)) this.#signedWithOldSecret.set(request, true);
    return [...new Set(cookies.map(({ value }) => value))];
  }

  setSessionId(
    request: IncomingMessage,
    response: ServerResponse,
    { sessionId, maxAgeSeconds, cookie }: SessionIdAnnouncement,
  ): void {
    this.#send(response, this.#serializer.serialize(request, sessionId, maxAgeSeconds, cookie));
  }

  /** Adds a cookie of the same name, path and domain that deletes it: Max-Age 0. */
  expireSession(request: IncomingMessage, response: ServerResponse): void {
    this.#send(response, this.#serializer.serialize(request, ''));
  }

  /** True when the cookie rolls, or was signed with an old secret. */
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
