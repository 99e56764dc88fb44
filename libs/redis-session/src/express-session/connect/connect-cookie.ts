import { stringifySetCookie } from 'cookie';
import { type IncomingMessage } from 'node:http';

/** The cookie options of express-session. */
export interface ConnectCookieOptions {
  readonly domain?: string | undefined;
  readonly expires?: Date | null | undefined;
  readonly httpOnly?: boolean | undefined;
  /** Milliseconds; null = until the browser is closed. */
  readonly maxAge?: number | null | undefined;
  readonly partitioned?: boolean | undefined;
  readonly path?: string | null | undefined;
  readonly priority?: 'low' | 'medium' | 'high' | undefined;
  readonly sameSite?: boolean | 'lax' | 'strict' | 'none' | 'auto' | undefined;
  readonly secure?: boolean | 'auto' | undefined;
}

/** A point in time or an age that is not there; which of the three it is makes no difference. */
type None = null | undefined | false;

const SETTINGS = [
  ...(['domain', 'httpOnly', 'partitioned', 'path', 'priority', 'sameSite', 'secure'] as const),
];

/** `req.session.cookie`; stores keep what {@link toJSON} gives. */
export class ConnectCookie {
  path: string | null | undefined = '/';
  httpOnly = true;
  /** Milliseconds as they were set; none = until the browser is closed. */
  originalMaxAge: number | None = null;
  secure?: boolean | undefined;
  domain?: string | undefined;
  sameSite?: boolean | 'lax' | 'strict' | 'none' | undefined;
  partitioned?: boolean | undefined;
  priority?: 'low' | 'medium' | 'high' | undefined;
  #expires: Date | None = null;

  /** @throws TypeError for a `maxAge` that is no number */
  constructor(options: ConnectCookieOptions = {}) {
    for (const name of SETTINGS) {
      if (name in options) Object.assign(this, { [name]: options[name] });
    }
    if (options.expires) this.expires = options.expires;
    if (options.maxAge !== undefined && options.maxAge !== null) this.maxAge = options.maxAge;
  }

  /** Makes of what a store holds the cookie that it was. */
  static restore(stored: object): ConnectCookie {
    const { expires, originalMaxAge, ...settings } = stored as Record<string, unknown>;
    const cookie = new ConnectCookie({ ...settings, maxAge: undefined });
    if (typeof expires === 'string' || expires instanceof Date) cookie.#expires = new Date(expires);
    if (typeof originalMaxAge === 'number') cookie.originalMaxAge = originalMaxAge;
    return cookie;
  }

  get expires(): Date | None {
    return this.#expires;
  }

  set expires(date: Date | None) {
    this.#expires = date;
    this.originalMaxAge = this.maxAge;
  }

  /** Milliseconds that are left. */
  get maxAge(): number | None {
    return this.#expires && this.#expires.getTime() - Date.now();
  }

  /** Milliseconds from now on, or the end. @throws TypeError for anything else, as express-session does */
  set maxAge(age: number | Date | None) {
    if (age && typeof age !== 'number' && !(age instanceof Date))
      throw new TypeError('maxAge must be a number or Date');
    this.expires = typeof age === 'number' ? new Date(Date.now() + age) : age;
  }

  get data(): object {
    const { originalMaxAge, expires, secure, httpOnly, domain, path, sameSite } = this;
    const { partitioned, priority } = this;
    return {
      ...{ originalMaxAge, expires, secure, httpOnly, domain, path, sameSite },
      ...(partitioned !== undefined && { partitioned }),
      ...(priority !== undefined && { priority }),
    };
  }

  toJSON(): object {
    return this.data;
  }

  /** @returns a `Set-Cookie` line */
  serialize(name: string, value: string): string {
    return cookieLine(name, value, this);
  }
}

/** @param cookie - may be a plain object that the application has assigned. @returns a `Set-Cookie` line */
export function cookieLine(name: string, value: string, cookie: ConnectCookie): string {
  const { domain, expires, httpOnly, partitioned, path, priority, secure, sameSite } = cookie;
  return stringifySetCookie({
    ...{ name, value, httpOnly, secure: secure === true, partitioned: partitioned === true },
    ...(path && { path }),
    ...(domain !== undefined && { domain }),
    ...(priority !== undefined && { priority }),
    ...(sameSite !== undefined && { sameSite }),
    ...(expires && { expires }),
  });
}

/** @param proxy - true believes X-Forwarded-Proto, false only the connection; undefined asks Express */
export function isSecureConnection(request: IncomingMessage, proxy: boolean | undefined): boolean {
  if ('encrypted' in request.socket && request.socket.encrypted === true) return true;
  if (proxy === undefined) return 'secure' in request && request.secure === true;
  const header = request.headers['x-forwarded-proto'] ?? '';
  return proxy && String(header).split(',')[0]?.trim().toLowerCase() === 'https';
}
