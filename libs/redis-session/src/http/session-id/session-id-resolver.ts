import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SessionCookieSettings } from './session-cookie-settings.js';

/** The session id that is to be announced to the client, and how the client shall keep it. */
export interface SessionIdAnnouncement {
  /** In place of the resolver's own settings, if it has a cookie. */
  readonly cookie?: SessionCookieSettings | undefined;
  readonly sessionId: string;
  /** Seconds the client shall keep the id; null = until it is closed, undefined = the resolver's own setting. */
  readonly maxAgeSeconds?: number | null | undefined;
}

/**
 * Finds the session id in a request and tells the client the id of its session.
 *
 * All methods are synchronous: `setSessionId` and `expireSession` are called once, right before the headers are sent.
 *
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

  /**
   * Whether the client must be told the id again although it has not changed: its Max-Age rolls, or it was signed with
   * an old secret.
   */
  mustRenewSessionId?(request: IncomingMessage): boolean;
}
