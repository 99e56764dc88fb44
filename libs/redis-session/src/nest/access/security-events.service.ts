import { Inject, Injectable, Logger } from '@nestjs/common';
import { Subject, type Observable } from 'rxjs';
import { type HttpExchange } from '../../http/answers/http-exchange.js';
import { type SessionRequest } from '../../http/request/session-request.js';
import { toAuditLine } from '../../security/security-events.js';
import { type Authentication } from '../../security/authentication.js';
import { type SecurityEvent } from '../../security/security-events.js';
import { correlationId } from '../../session/session-id.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { RESOLVED_OPTIONS } from '../redis-session.module-definition.js';

type EventOf<T extends SecurityEvent['type']> = Omit<
  Extract<SecurityEvent, { type: T }>,
  'timeMs' | 'type'
>;

/** Tells of logins, failed logins, logouts, changed session ids and denials on this replica. */
@Injectable()
export class SecurityEvents {
  private readonly subject = new Subject<SecurityEvent>();
  private readonly auditLogger = new Logger('SecurityAudit');

  /** Hot: who subscribes hears what happens from then on. Errors of subscribers are theirs. */
  readonly events$: Observable<SecurityEvent> = this.subject.asObservable();

  constructor(@Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions) {}

  /** Whether anybody hears of an event: otherwise its facts need not be gathered. @internal */
  get isHeard(): boolean {
    const { security } = this.options;
    return this.subject.observed || (security !== false && security.auditLog);
  }

  /** @internal */
  publish<T extends SecurityEvent['type']>(type: T, event: EventOf<T>): void {
    const { clock, security } = this.options;
    const published = { ...event, type, timeMs: clock() } as unknown as SecurityEvent;
    if (security && security.auditLog) this.auditLogger.log(toAuditLine(published));
    this.subject.next(published);
  }

  /** @internal */
  loggedIn(request: SessionRequest, { name, kind }: Authentication, strategy?: string): void {
    if (!this.isHeard) return;
    const sessionRef = sessionRefOf(request);
    this.publish('authentication-success', { name, kind, strategy, sessionRef });
  }

  /** @internal */
  accessDenied({ sessionRequest }: HttpExchange, target: string): void {
    const name = sessionRequest?.securityContext.authentication?.name;
    this.publish('access-denied', { name, target, sessionRef: sessionRefOf(sessionRequest) });
  }
}

/** First 8 hex digits of SHA-256 of the session's id. */
export function sessionRefOf(request: SessionRequest | undefined): string | undefined {
  const session = request?.currentSession;
  return session && correlationId(session.id);
}
