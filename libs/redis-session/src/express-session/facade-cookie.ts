import { type IncomingMessage } from 'node:http';
import { type MapSession } from '../session/map-session.js';
import {
  MAX_KEPT_COOKIE_SECONDS,
  type ResolvedCookieOptions,
} from '../http/session-id/cookie-options.js';
import {
  cookieSettingsOf,
  keepCookieFor,
  keepCookieSettings,
  type SessionCookieSettings,
  cookieLifetimeOf,
} from '../http/session-id/session-cookie.js';
import { type ExpressSessionCookie } from './express-session.js';

/** What a {@link FacadeCookie} shows that is the same for all sessions. */
export interface CookieDefaults {
  /** undefined = a session may last for ever */
  readonly absoluteTimeoutSeconds?: number | undefined;
  readonly clock: () => number;
  readonly cookie: ResolvedCookieOptions;
  /** Seconds; -1 = never. */
  readonly maxInactiveIntervalSeconds: number;
}

/** The session whose cookie it is. */
export interface CookieOwner {
  readonly existing: MapSession | undefined;
  /** undefined when it is the session of another client */
  readonly request?: IncomingMessage | undefined;
  /** Has the client told of the change. */
  announce(): void;
  /** Has `change` done once a new session is about to be stored. */
  beforeSave(change: (session: MapSession) => void): void;
}

/** What is special about the cookie of one session; a null age ends with the browser. */
type CookieChange = SessionCookieSettings & { readonly maxAgeSeconds?: number | null };

const SETTINGS = ['httpOnly', 'sameSite', 'secure'] as const;

/** `req.session.cookie`: how the client keeps the id of this session. What it does not say itself, the module does. */
export class FacadeCookie implements ExpressSessionCookie {
  domain: string | undefined;
  partitioned: boolean;
  path: string;
  priority: 'low' | 'medium' | 'high' | undefined;
  readonly #owner: CookieOwner;
  readonly #defaults: CookieDefaults;
  /** Of a session that nothing is stored of yet. */
  #waiting: CookieChange = {};

  constructor(owner: CookieOwner, defaults: CookieDefaults) {
    const { domain, partitioned, path, priority } = defaults.cookie;
    this.domain = domain;
    this.partitioned = partitioned;
    this.path = path;
    this.priority = priority;
    this.#owner = owner;
    this.#defaults = defaults;
  }

  get originalMaxAge(): number | null {
    const { existing } = this.#owner;
    const waiting = this.#waiting.maxAgeSeconds;
    const ofSession = waiting === undefined ? existing && cookieLifetimeOf(existing) : waiting;
    const seconds = ofSession === undefined ? this.#defaults.cookie.maxAgeSeconds : ofSession;
    return seconds === null ? null : seconds * 1000;
  }

  get maxAge(): number | null {
    const { expires } = this;
    return expires && expires.getTime() - this.#defaults.clock();
  }

  /** The server forgets the session when the browser forgets its id. @throws TypeError as express-session does */
  set maxAge(age: number | Date | null | undefined | false) {
    if (age && typeof age !== 'number' && !(age instanceof Date))
      throw new TypeError('maxAge must be a number or Date');
    const ms = age instanceof Date ? age.getTime() - this.#defaults.clock() : age;
    const maxAgeSeconds = typeof ms === 'number' ? this.#capped(Math.ceil(ms / 1000)) : null;
    this.#change({ maxAgeSeconds });
  }

  /** No browser keeps a cookie longer, and no session outlives the module's absolute timeout. */
  #capped(seconds: number): number {
    const { absoluteTimeoutSeconds = MAX_KEPT_COOKIE_SECONDS } = this.#defaults;
    return Math.min(Math.max(0, seconds), absoluteTimeoutSeconds, MAX_KEPT_COOKIE_SECONDS);
  }

  get expires(): Date | null {
    const { originalMaxAge } = this;
    if (originalMaxAge === null) return null;
    const accessedMs = this.#owner.existing?.lastAccessedTime.getTime();
    return new Date((accessedMs ?? this.#defaults.clock()) + originalMaxAge);
  }

  set expires(date: Date | null | undefined | false) {
    this.maxAge = date instanceof Date ? date : null;
  }

  get httpOnly(): boolean {
    return this.#settings.httpOnly ?? this.#defaults.cookie.httpOnly;
  }

  set httpOnly(isHidden: boolean | undefined) {
    if (isHidden !== this.httpOnly) this.#change({ httpOnly: isHidden });
  }

  get sameSite(): 'lax' | 'strict' | 'none' | false {
    return this.#settings.sameSite ?? this.#defaults.cookie.sameSite ?? false;
  }

  set sameSite(value: 'lax' | 'strict' | 'none' | boolean | undefined) {
    const sameSite = value === true ? 'strict' : value;
    if (sameSite !== this.sameSite) this.#change({ sameSite });
  }

  get secure(): boolean | 'auto' {
    const { request } = this.#owner;
    const { secure } = this.#defaults.cookie;
    const ofModule = typeof secure === 'function' ? (request ? secure(request) : 'auto') : secure;
    return this.#settings.secure ?? ofModule;
  }

  set secure(value: boolean | 'auto' | undefined) {
    if (value !== this.secure) this.#change({ secure: value === 'auto' ? undefined : value });
  }

  get data(): object {
    const { originalMaxAge, expires, secure, httpOnly, path, domain, sameSite } = this;
    return { originalMaxAge, expires, secure, httpOnly, path, domain, sameSite };
  }

  toJSON(): object {
    return this.data;
  }

  /** Takes over what another session's cookie says, and nothing that the module says as well. */
  adopt(other: unknown): void {
    if (typeof other !== 'object' || other === null) return;
    const given = other as Partial<Record<keyof ExpressSessionCookie, unknown>>;
    const age = given.originalMaxAge === undefined ? given.maxAge : given.originalMaxAge;
    const isAge = age === null || typeof age === 'number';
    if (isAge && age !== this.originalMaxAge) this.maxAge = age;
    // What a function of the request said there is no setting of that session.
    const isSecureAsked = typeof this.#defaults.cookie.secure === 'function';
    for (const name of SETTINGS) {
      if (name === 'secure' && isSecureAsked) continue;
      if (given[name] !== undefined) Object.assign(this, { [name]: given[name] });
    }
  }

  get #settings(): SessionCookieSettings {
    const { existing } = this.#owner;
    return { ...(existing && cookieSettingsOf(existing)), ...this.#waiting };
  }

  /** A visitor gets no session for the settings of its cookie: they wait until there is something to store. */
  #change(change: CookieChange): void {
    const { existing } = this.#owner;
    if (existing && (existing.isStored || existing.hasChanges)) {
      this.#apply(existing, change);
      this.#owner.announce();
      return;
    }
    if (Object.keys(this.#waiting).length === 0) {
      this.#owner.beforeSave((session) => {
        if (session === this.#owner.existing) this.#apply(session, this.#waiting);
        this.#waiting = {};
      });
    }
    this.#waiting = { ...this.#waiting, ...change };
  }

  #apply(session: MapSession, { maxAgeSeconds, ...settings }: CookieChange): void {
    if (maxAgeSeconds !== undefined) {
      session.maxInactiveIntervalSeconds =
        maxAgeSeconds === null
          ? this.#defaults.maxInactiveIntervalSeconds
          : Math.max(1, maxAgeSeconds);
      keepCookieFor(session, maxAgeSeconds);
    }
    if (Object.keys(settings).length > 0) keepCookieSettings(session, settings);
  }
}
