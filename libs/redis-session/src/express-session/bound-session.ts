import { type IncomingMessage } from 'node:http';
import { type MapSession } from '../session/map-session.js';
import { type SessionRequest } from '../http/request/session-request.js';
import { type CookieOwner } from './facade-cookie.js';
import { SessionOptionError } from '../session/session.errors.js';
import { isOwnAttribute } from '../session/attributes/attribute-names.js';

/**
 * The one session that a `req.session` stands for. A visitor without one gets it with the first write; when it has ended,
 * what it held can still be read, as passport does with `keepSessionInfo`.
 */
export class BoundSession implements CookieOwner {
  private session: MapSession | undefined;
  private remains: ReadonlyMap<string, unknown> = new Map();

  constructor(private readonly sessionRequest: SessionRequest) {}

  /** @returns undefined when there is none yet, or it has ended */
  get existing(): MapSession | undefined {
    this.session ??= this.sessionRequest.currentSession;
    return this.session?.isInvalidated ? undefined : this.session;
  }

  get request(): IncomingMessage {
    return this.sessionRequest.request;
  }

  announce(): void {
    if (this.existing) this.sessionRequest.announcement.force();
  }

  beforeSave(change: (session: MapSession) => void): void {
    this.sessionRequest.beforeFirstSave.push(change);
  }

  /** Whether `req.session` must stand for another one now. */
  get isStale(): boolean {
    return this.session !== undefined && this.session !== this.sessionRequest.currentSession;
  }

  /** From now on it is this one. */
  standFor(session: MapSession): void {
    this.session = session;
  }

  /** The session to write to. @throws SessionResponseCommittedError when it is too late to make one */
  obtain(): MapSession {
    this.session ??= this.sessionRequest.obtainSession();
    return this.session;
  }

  read(name: string): unknown {
    return this.existing ? this.existing.getAttribute(name) : this.remains.get(name);
  }

  /** @throws SessionOptionError for an attribute of the library */
  write(name: string, value: unknown): void {
    refuseOwn(name);
    this.obtain().setAttribute(name, value);
  }

  /** Names of attributes, those of the library included. */
  get names(): readonly string[] {
    return this.existing ? this.existing.attributeNames : [...this.remains.keys()];
  }

  isListed(name: string): boolean {
    return !isOwnAttribute(name);
  }

  /** Ends the session at once. */
  async end(): Promise<void> {
    const session = this.existing;
    if (!session) return;
    const names = session.attributeNames.filter((name) => this.isListed(name));
    this.remains = new Map(names.map((name) => [name, session.getAttribute(name)]));
    await session.invalidate();
  }
}

/** Whoever writes to `req.session` what a client has sent must not make a user of himself. */
export function refuseOwn(name: string): void {
  if (!isOwnAttribute(name)) return;
  throw new SessionOptionError(
    `Cannot change req.session.${name}: the library itself keeps it. Use LoginService, LogoutService or another name.`,
  );
}
