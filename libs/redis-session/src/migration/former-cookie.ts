import { type IncomingMessage, type ServerResponse } from 'node:http';
import { signConnectId, verifyConnectId } from '../http/session-id/connect-signature.js';
import { type CookieSessionIdResolver } from '../http/session-id/cookie-session-id-resolver.js';
import {
  type SessionIdAnnouncement,
  type SessionIdResolver,
} from '../http/session-id/session-id-resolver.js';

/** How the other library signs its cookie: `<prefix><id>.<HMAC-SHA256, base64 without padding>`. */
export interface FormerCookieFormat {
  /** `s:` of express-session, none of @fastify/session */
  readonly prefix: string;
  /** The first signs, all verify. */
  readonly secrets: readonly string[];
}

/** Carries the session id in the cookie of express-session or @fastify/session. */
export class FormerCookie implements SessionIdResolver {
  /** @param cookies - carries what is signed, as it is */
  constructor(
    private readonly cookies: CookieSessionIdResolver,
    private readonly format: FormerCookieFormat,
  ) {}

  resolveSessionIds(request: IncomingMessage): readonly string[] {
    const { prefix, secrets } = this.format;
    const values = this.cookies.resolveSessionIds(request);
    return values.flatMap((value) => verifyConnectId(value, secrets, prefix) ?? []);
  }

  setSessionId(
    request: IncomingMessage,
    response: ServerResponse,
    { sessionId, ...announcement }: SessionIdAnnouncement,
  ): void {
    const { prefix, secrets } = this.format;
    const signed = signConnectId(sessionId, secrets[0] ?? '', prefix);
    this.cookies.setSessionId(request, response, { sessionId: signed, ...announcement });
  }

  expireSession(request: IncomingMessage, response: ServerResponse): void {
    this.cookies.expireSession(request, response);
  }
}
