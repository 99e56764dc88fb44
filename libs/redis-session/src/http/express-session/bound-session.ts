import {
  SAVED_REQUESTS_ATTRIBUTE,
  REMEMBER_ME_ATTRIBUTE,
} from '../../security/session-attributes.js';
import { SECURITY_CONTEXT_ATTRIBUTE } from '../../security/session-security-context-repository.js';
import { type MapSession } from '../../session/map-session.js';
import { SESSION_COOKIE_ATTRIBUTE } from '../../session/session-cookie-attribute.js';
import { type SessionRequest } from '../session-request.js';

/** Attributes of the library: not listed, so that they are neither sent to clients nor copied to another session. */
const OWN_ATTRIBUTES: ReadonlySet<string> = new Set([
  REMEMBER_ME_ATTRIBUTE,
  SAVED_REQUESTS_ATTRIBUTE,
  SECURITY_CONTEXT_ATTRIBUTE,
  SESSION_COOKIE_ATTRIBUTE,
]);

/**
 * The one session that a `req.session` stands for. A visitor without one gets it with the first write; when it has ended,
 * what it held can still be read, as passport does with `keepSessionInfo`.
 */
export class BoundSession {
  private session: MapSession | undefined;
  private remains: ReadonlyMap<string, unknown> = new Map();

  constructor(private readonly sessionRequest: SessionRequest) {}

  /** @returns undefined when there is none yet, or it has ended */
  get existing(): MapSession | undefined {
    this.session ??= this.sessionRequest.currentSession;
    return this.session?.isInvalidated ? undefined : this.session;
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

  /** Names of attributes, those of the library included. */
  get names(): readonly string[] {
    return this.existing ? this.existing.attributeNames : [...this.remains.keys()];
  }

  isListed(name: string): boolean {
    return !OWN_ATTRIBUTES.has(name);
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
