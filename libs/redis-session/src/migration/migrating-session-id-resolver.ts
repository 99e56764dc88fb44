import { type IncomingMessage, type ServerResponse } from 'node:http';
import { signConnectId, verifyConnectId } from '../http/session-id/cookie-signature.js';
import {
  type CookieSessionIdResolver,
  type SessionIdAnnouncement,
  type SessionIdResolver,
} from '../http/session-id/session-id-resolver.js';
import { foreignProperty } from '../lib/foreign-property.js';
import { SESSION_ID_PATTERN } from '../session/session-id.js';

interface MigratingSessionIdResolverInput {
  readonly current: SessionIdResolver;
  readonly former: SessionIdResolver;
  /** Whether there are sessions that stay with the former library. */
  readonly isShared: boolean;
}

/**
 * Knows the ids of this library and of the former one, and sees to it that a client ends up with one cookie.
 *
 * Ids of this library have {@link SESSION_ID_PATTERN}. An id of the former one is verified by its signature and may look
 * like anything.
 */
export class MigratingSessionIdResolver implements SessionIdResolver {
  private readonly formerIds = foreignProperty<readonly string[]>('ids of the former library');

  constructor(private readonly input: MigratingSessionIdResolverInput) {}

  resolveSessionIds(request: IncomingMessage): readonly string[] {
    const { current, former } = this.input;
    const own = current.resolveSessionIds(request).filter((id) => SESSION_ID_PATTERN.test(id));
    const formerIds = former.resolveSessionIds(request);
    this.formerIds.set(request, formerIds);
    return [...new Set([...own, ...formerIds])];
  }

  setSessionId(
    request: IncomingMessage,
    response: ServerResponse,
    announcement: SessionIdAnnouncement,
  ): void {
    const { current, former } = this.input;
    const isFormer = this.isFormer(request, announcement.sessionId);
    const [right, wrong] = isFormer ? [former, current] : [current, former];
    right.setSessionId(request, response, announcement);
    if (wrong.resolveSessionIds(request).length > 0) wrong.expireSession(request, response);
  }

  expireSession(request: IncomingMessage, response: ServerResponse): void {
    for (const resolver of [this.input.current, this.input.former])
      if (resolver.resolveSessionIds(request).length > 0) resolver.expireSession(request, response);
  }

  mustRenewSessionId(request: IncomingMessage): boolean {
    return this.input.current.mustRenewSessionId?.(request) === true;
  }

  private isFormer(request: IncomingMessage, sessionId: string): boolean {
    if (!this.input.isShared) return false;
    const isKnown = this.formerIds.get(request)?.includes(sessionId) === true;
    return isKnown || !SESSION_ID_PATTERN.test(sessionId);
  }
}

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
