import { type CipherKey, createHmac, timingSafeEqual } from 'node:crypto';

/** The cookie options of express-session. */
export interface ConnectCookieOptions {
  readonly domain?: string | undefined;
  readonly expires?: Date | null | undefined;
  readonly httpOnly?: boolean | undefined;
  /** Milliseconds; null = until the browser is closed. */
  readonly maxAge?: number | null | undefined;
  readonly partitioned?: boolean | undefined;
  readonly path?: string | undefined;
  readonly priority?: 'low' | 'medium' | 'high' | undefined;
  readonly sameSite?: boolean | 'lax' | 'strict' | 'none' | 'auto' | undefined;
  readonly secure?: boolean | 'auto' | undefined;
}

/** `req.session.cookie`; stores keep what {@link toJSON} gives. */
export class ConnectCookie {
  path = '/';
  httpOnly = true;
  originalMaxAge: number | null = null;
  secure?: boolean | undefined;
  domain?: string | undefined;
  sameSite?: boolean | 'lax' | 'strict' | 'none' | undefined;
  partitioned?: boolean | undefined;
  priority?: 'low' | 'medium' | 'high' | undefined;
  #expires: Date | null = null;

  constructor({ maxAge, expires, ...settings }: ConnectCookieOptions = {}) {
    Object.assign(this, settings);
    if (expires) this.expires = expires;
    if (maxAge !== undefined && maxAge !== null) this.maxAge = maxAge;
  }

  /** Makes of what a store holds the cookie that it was. */
  static restore(stored: object, defaults: ConnectCookieOptions): ConnectCookie {
    const { expires, originalMaxAge, ...settings } = stored as Record<string, unknown>;
    const cookie = new ConnectCookie({ ...defaults, ...settings, maxAge: null, expires: null });
    if (typeof expires === 'string' || expires instanceof Date) cookie.#expires = new Date(expires);
    if (typeof originalMaxAge === 'number') cookie.originalMaxAge = originalMaxAge;
    return cookie;
  }

  get expires(): Date | null {
    return this.#expires;
  }

  set expires(date: Date | null | false | undefined) {
    this.#expires = date instanceof Date ? date : null;
    this.originalMaxAge = this.maxAge;
  }

  get maxAge(): number | null {
    return this.#expires && this.#expires.getTime() - Date.now();
  }

  set maxAge(milliseconds: number | null) {
    this.#expires = milliseconds === null ? null : new Date(Date.now() + milliseconds);
    this.originalMaxAge = milliseconds;
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
}

/** The start of express-session's cookies. */
const SIGNED = 's:';

/** @returns `s:<id>.<HMAC-SHA256, base64 without padding>`, as express-session writes it */
export function signConnectId(id: string, secret: CipherKey, prefix = SIGNED): string {
  return `${prefix}${id}.${signatureOf(id, secret)}`;
}

/** @returns the id, undefined when none of `secrets` has signed it */
export function verifyConnectId(
  value: string,
  secrets: readonly CipherKey[],
  prefix = SIGNED,
): string | undefined {
  const dot = value.lastIndexOf('.');
  if (!value.startsWith(prefix) || dot <= prefix.length) return undefined;
  const id = value.slice(prefix.length, dot);
  const given = Buffer.from(value.slice(dot + 1));
  const isSigned = secrets.some((secret) => {
    const expected = Buffer.from(signatureOf(id, secret));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return isSigned ? id : undefined;
}

function signatureOf(id: string, secret: CipherKey): string {
  return createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '');
}
