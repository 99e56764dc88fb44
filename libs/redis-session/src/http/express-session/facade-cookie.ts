import { type ResolvedCookieOptions } from '../cookie-serializer.options.js';
import { cookieLifetimeOf, keepCookieFor } from '../session-lifetime.js';
import { type SessionRequest } from '../session-request.js';
import { type BoundSession } from './bound-session.js';
import { type ExpressSessionCookie } from './express-session.js';

/** What a {@link FacadeCookie} shows that is the same for all sessions. */
export interface CookieDefaults {
  readonly clock: () => number;
  readonly cookie: ResolvedCookieOptions;
  /** Seconds; -1 = never. */
  readonly maxInactiveIntervalSeconds: number;
}

/** `req.session.cookie`: how long the client keeps the id of this session, and the settings of the module. */
export class FacadeCookie implements ExpressSessionCookie {
  readonly #session: BoundSession;
  readonly #sessionRequest: SessionRequest;
  readonly #defaults: CookieDefaults;

  constructor(session: BoundSession, sessionRequest: SessionRequest, defaults: CookieDefaults) {
    this.#session = session;
    this.#sessionRequest = sessionRequest;
    this.#defaults = defaults;
  }

  get originalMaxAge(): number | null {
    const { existing } = this.#session;
    const ofSession = existing && cookieLifetimeOf(existing);
    const seconds = ofSession === undefined ? this.#defaults.cookie.maxAgeSeconds : ofSession;
    return seconds === null ? null : seconds * 1000;
  }

  get maxAge(): number | null {
    const { expires } = this;
    return expires && expires.getTime() - this.#defaults.clock();
  }

  /** The server forgets the session when the browser forgets its id. */
  set maxAge(milliseconds: number | null | undefined | false) {
    const session = this.#session.obtain();
    if (typeof milliseconds === 'number') {
      const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
      session.maxInactiveIntervalSeconds = Math.max(1, seconds);
      keepCookieFor(session, seconds);
    } else {
      session.maxInactiveIntervalSeconds = this.#defaults.maxInactiveIntervalSeconds;
      keepCookieFor(session, null);
    }
    this.#sessionRequest.announcement.force();
  }

  get expires(): Date | null {
    const { originalMaxAge } = this;
    if (originalMaxAge === null) return null;
    const accessedMs = this.#session.existing?.lastAccessedTime.getTime();
    return new Date((accessedMs ?? this.#defaults.clock()) + originalMaxAge);
  }

  set expires(date: Date | null | undefined | false) {
    this.maxAge = date instanceof Date ? date.getTime() - this.#defaults.clock() : null;
  }

  get domain(): string | undefined {
    return this.#defaults.cookie.domain;
  }

  get httpOnly(): boolean {
    return this.#defaults.cookie.httpOnly;
  }

  get partitioned(): boolean {
    return this.#defaults.cookie.partitioned;
  }

  get path(): string {
    return this.#defaults.cookie.path;
  }

  get priority(): 'low' | 'medium' | 'high' | undefined {
    return this.#defaults.cookie.priority;
  }

  get sameSite(): 'lax' | 'strict' | 'none' | false {
    return this.#defaults.cookie.sameSite ?? false;
  }

  get secure(): boolean | 'auto' {
    const { secure } = this.#defaults.cookie;
    return typeof secure === 'function' ? secure(this.#sessionRequest.request) : secure;
  }

  get data(): object {
    const { originalMaxAge, expires, secure, httpOnly, path, domain, sameSite } = this;
    return { originalMaxAge, expires, secure, httpOnly, path, domain, sameSite };
  }

  toJSON(): object {
    return this.data;
  }

  /** Takes over how long another session's cookie is kept, and nothing if that is what the module says. */
  adopt(other: unknown): void {
    if (typeof other !== 'object' || other === null || !('originalMaxAge' in other)) return;
    const { originalMaxAge } = other;
    const isLifetime = originalMaxAge === null || typeof originalMaxAge === 'number';
    if (isLifetime && originalMaxAge !== this.originalMaxAge) this.maxAge = originalMaxAge;
  }
}
