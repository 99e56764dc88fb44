import { Inject, Injectable, Logger } from '@nestjs/common';
import { Subject, type Observable } from 'rxjs';
import { type HttpExchange } from '../../http/answers/http-exchange.js';
import { type SessionRequest } from '../../http/request/session-request.js';
import { quoted } from '../../lib/logger.js';
import {
  type Authentication,
  type AuthenticationFailureReason,
  type AuthenticationKind,
} from '../../security/authentication.js';
import { correlationId } from '../../session/session-id.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { RESOLVED_OPTIONS } from '../redis-session.module-definition.js';

/** What all events tell. Never an id, a cookie or a credential. */
interface SecurityEventBase {
  /** Epoch ms. */
  readonly timeMs: number;
  /** First 8 hex digits of SHA-256 of the session's id: which lines belong together. undefined = no session */
  readonly sessionRef?: string | undefined;
}

/** A user has logged in. */
export interface AuthenticationSuccessEvent extends SecurityEventBase {
  readonly type: 'authentication-success';
  readonly name: string;
  readonly kind: AuthenticationKind;
  /** Such as `local`; undefined = the application logged the user in itself. */
  readonly strategy?: string | undefined;
}

/** A login was refused. Without the name that was typed: people type their password there (OWASP logging cheat sheet). */
export interface AuthenticationFailureEvent extends SecurityEventBase {
  readonly type: 'authentication-failure';
  readonly reason: AuthenticationFailureReason;
  readonly strategy?: string | undefined;
}

/** A user has logged out. */
export interface LogoutEvent extends SecurityEventBase {
  readonly type: 'logout';
  readonly name: string;
}

/** The session of a user got another id after the login. */
export interface SessionIdChangedEvent extends SecurityEventBase {
  readonly type: 'session-id-changed';
  /** As `sessionRef`, of the id before. */
  readonly previousSessionRef: string;
}

/** A user was refused a resource. */
export interface AccessDeniedEvent extends SecurityEventBase {
  readonly type: 'access-denied';
  /** undefined for an anonymous visitor */
  readonly name?: string | undefined;
  /** Which code was protected, such as `AdminController.page`; not the URL, which may hold anything. */
  readonly target: string;
}

/** What happens to logins and permissions, for audit. Mirrors the events of `AuthenticationEventPublisher`. */
export type SecurityEvent =
  | AuthenticationSuccessEvent
  | AuthenticationFailureEvent
  | LogoutEvent
  | SessionIdChangedEvent
  | AccessDeniedEvent;

/** Longer than an address of e-mail can be. */
const MAX_VALUE_LENGTH = 256;

/** Fields of any event, in the order of the line; others never get into the log. */
const FIELDS = ['name', 'kind', 'strategy', 'reason', 'target', 'previousSessionRef', 'sessionRef'];

/**
 * One line for the audit log, such as `2026-01-01T00:00:00.000Z logout name="kim" sessionRef="5df6e0e2"`. Values are quoted as
 * JSON: a user name cannot begin a line of its own (log injection, CWE-117).
 */
export function toAuditLine(event: SecurityEvent): string {
  const values = new Map<string, unknown>(Object.entries(event));
  const fields = FIELDS.filter((name) => values.get(name) !== undefined).map(
    (name) => ` ${name}=${quoted(String(values.get(name)), MAX_VALUE_LENGTH)}`,
  );
  return `${new Date(event.timeMs).toISOString()} ${event.type}${fields.join('')}`;
}

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
