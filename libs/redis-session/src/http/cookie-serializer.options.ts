import type { IncomingMessage } from 'node:http';
import type { CookieEncoding } from './cookie-encoding.js';
import { checkCookieOptions } from './cookie-serializer.schema.js';

/** Decides per request whether the cookie gets the `Secure` attribute. */
export type SecureCookiePredicate = (request: IncomingMessage) => boolean;

/** The options of the session cookie with their defaults filled in, see {@link DEFAULT_COOKIE_OPTIONS}. */
export interface ResolvedCookieOptions {
  /** Host name of the `Domain` attribute; undefined = the cookie goes to the host that set it only. Excludes `domainPattern`. */
  readonly domain?: string | undefined;
  /** Matched against the whole host name of the request, in any case; group 1 is the `Domain`, no match = no `Domain`. */
  readonly domainPattern?: RegExp | undefined;
  /** How the value is written; `'base64'` is for sharing the cookie with Spring applications. */
  readonly encoding: CookieEncoding;
  /** Keeps scripts of the page from reading the cookie. */
  readonly httpOnly: boolean;
  /** Appended to the value as `.<jvmRoute>` for a load balancer that routes by it; taken off when read. */
  readonly jvmRoute?: string | undefined;
  /** Seconds that the browser keeps the cookie, 0 to 2147483647; null = until the browser is closed. */
  readonly maxAgeSeconds: number | null;
  /** `__Host-` and `__Secure-` in front are checked as browsers do, RFC 6265bis §4.1.3. */
  readonly name: string;
  /** Keeps the cookie apart per embedding site; needs `secure`. */
  readonly partitioned: boolean;
  /** The absolute path below which the browser sends the cookie. */
  readonly path: string;
  /** `Priority` attribute (Chromium); undefined omits it. */
  readonly priority?: 'low' | 'medium' | 'high' | undefined;
  /** Sends the cookie with every answer, so that `maxAgeSeconds` counts from the last request, not from the login. */
  readonly rolling: boolean;
  /** `null` omits the attribute; `'none'` needs `secure`. */
  readonly sameSite: 'lax' | 'strict' | 'none' | null;
  /** Sign the cookie, 32 characters or more each: the first signs, all verify. Empty = not signed. */
  readonly secrets: readonly string[];
  /** `'auto'` = when the request came over https, also through a trusted proxy. */
  readonly secure: boolean | 'auto' | SecureCookiePredicate;
}

/** What an application may say about the session cookie; what it leaves out is in {@link DEFAULT_COOKIE_OPTIONS}. */
export type CookieOptions = {
  readonly [Name in keyof ResolvedCookieOptions]?: ResolvedCookieOptions[Name] | undefined;
};

/** The session cookie of an application that says nothing about it. */
export const DEFAULT_COOKIE_OPTIONS: ResolvedCookieOptions = {
  encoding: 'plain',
  httpOnly: true,
  maxAgeSeconds: null,
  name: 'SESSION',
  partitioned: false,
  path: '/',
  rolling: false,
  sameSite: 'lax',
  secrets: [],
  secure: 'auto',
};

/**
 * Fills in the defaults and checks every value, and the values against each other.
 *
 * @throws {@link SessionOptionError} when the cookie could not work; the message names the option, never a secret
 */
export function resolveCookieOptions(options: CookieOptions = {}): ResolvedCookieOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return checkCookieOptions({ ...DEFAULT_COOKIE_OPTIONS, ...Object.fromEntries(given) });
}
