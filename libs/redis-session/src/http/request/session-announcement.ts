import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type MapSession } from '../../session/map-session.js';
import { type RequestedSession } from './requested-session.js';
import { cookieSettingsOf, cookieLifetimeOf } from '../session-id/session-cookie.js';
import { keepOutOfSharedCaches } from '../answers/http-answer.js';
import { type RequestSetup } from './request-setup.js';

/** What the client must be told about the id of its session. */
export class SessionAnnouncement {
  private hasEndedSession = false;
  private isForced = false;

  constructor(
    private readonly request: IncomingMessage,
    private readonly requested: RequestedSession,
    private readonly setup: RequestSetup,
  ) {}

  /** Has the client forget an id that is of no use any more. */
  expire(): void {
    this.hasEndedSession = true;
  }

  /** Has the client told the id of its session, although it may know it: how long it is to keep it may be new. */
  force(): void {
    this.isForced = true;
  }

  /** @param session - of the request, undefined when it has none (any more) */
  isDue(session: MapSession | undefined): boolean {
    return this.mustAnnounce(session) || this.mustExpire(session);
  }

  /** Adds to the headers of `response`. @param session - as for {@link isDue} */
  write(response: ServerResponse, session: MapSession | undefined): void {
    const { sessionIdResolver, cacheControl } = this.setup;
    keepOutOfSharedCaches(response, cacheControl);
    if (session && this.mustAnnounce(session)) {
      sessionIdResolver.setSessionId(this.request, response, {
        sessionId: session.id,
        maxAgeSeconds: cookieLifetimeOf(session),
        cookie: cookieSettingsOf(session),
      });
    } else if (this.mustExpire(session)) {
      sessionIdResolver.expireSession(this.request, response);
    }
  }

  /** An id that is not stored, because nobody wrote to the session or the save failed, is never told. */
  private mustAnnounce(session: MapSession | undefined): boolean {
    if (!session || session.isNew || session.hasChangedId) return false;
    return (
      this.isForced ||
      session.id !== this.requested.ids[0] ||
      this.setup.sessionIdResolver.mustRenewSessionId?.(this.request) === true
    );
  }

  private mustExpire(session: MapSession | undefined): boolean {
    return this.hasEndedSession && (!session || session.isNew);
  }
}
