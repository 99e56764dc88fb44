import { stringifySetCookie, type SetCookie } from 'cookie';
import { type IncomingMessage } from 'node:http';
import { LruMap } from '../../lib/lru-map.js';
import {
  type ResolvedCookieOptions,
  MAX_COOKIE_AGE_SECONDS,
  domainByPattern,
} from './cookie-options.js';
import { type InsecureCookieListener } from './insecure-cookie-warning.js';
import { type SessionCookieSettings } from './session-cookie.js';
import { sign, type VerifiedValue, verify } from './cookie-signature.js';
import { isUtf8 } from 'node:buffer';

type IsSecure = (request: IncomingMessage) => boolean;

/** `base64`: RFC 4648 standard alphabet over UTF-8, as Spring writes it. */
type CookieEncoding = ResolvedCookieOptions['encoding'];

/** What a {@link CookieSerializer} needs: the checked options, and what only the platform knows. */
export interface CookieSerializerOptions extends ResolvedCookieOptions {
  /** Whether the request came over https, also through a trusted proxy; asked when `secure` is `'auto'`. */
  readonly isSecure: IsSecure;
  readonly onInsecure?: InsecureCookieListener;
}

const DELETION = { maxAge: 0, expires: new Date(0) };
const NO_VALUES: readonly VerifiedValue[] = [];

/** Only `domainPattern` makes more of them than a few. */
const MAX_KNOWN_TEXTS = 100;

type CookieAttributes = Omit<SetCookie, 'name' | 'value'>;

/**
 * Reads and writes the session cookie: `SESSION=<id>[.<signature>][.<jvmRoute>]`, the value percent-encoded or base64-encoded
 * as a whole. Mirrors `DefaultCookieSerializer` of Spring Session.
 */
export class CookieSerializer {
  readonly #options: CookieSerializerOptions;
  readonly #fixedAttributes: CookieAttributes;
  readonly #knownTexts = new LruMap<string>(MAX_KNOWN_TEXTS);
  readonly #start: string;
  readonly #routeSuffix: string;
  readonly #isSecure: IsSecure;
  readonly #domainOf: (request: IncomingMessage) => string | undefined;

  constructor(options: CookieSerializerOptions) {
    const { domain, domainPattern, jvmRoute, secure } = options;
    this.#options = options;
    this.#fixedAttributes = fixedAttributesOf(options);
    this.#start = `${options.name}=`;
    this.#routeSuffix = jvmRoute === undefined ? '' : `.${jvmRoute}`;
    this.#isSecure = secure === 'auto' ? options.isSecure : predicateOf(secure);
    this.#domainOf = domainPattern ? domainByPattern(domainPattern) : () => domain;
  }

  /**
   * Reads the cookies of exactly the configured name, in the order of the header, without signature and route. Never throws.
   * Left out: empty values, undecodable ones, and, when there are secrets, those whose signature is wrong.
   */
  readCookieValues(request: IncomingMessage): readonly VerifiedValue[] {
    const header = request.headers.cookie;
    if (header === undefined) return NO_VALUES;
    const found: VerifiedValue[] = [];
    for (const raw of findCookieValues(header, this.#options.name)) {
      const read = this.#read(raw);
      if (read !== undefined) found.push(read);
    }
    return found;
  }

  /**
   * Makes one `Set-Cookie` line.
   *
   * @param value - an empty one makes the line that deletes the cookie
   * @param maxAgeSeconds - in place of the configured one; null = until the browser is closed
   * @param settings - in place of the configured ones
   */
  serialize(
    request: IncomingMessage,
    value: string,
    maxAgeSeconds: number | null = this.#options.maxAgeSeconds,
    settings: SessionCookieSettings = {},
  ): string {
    const domain = this.#domainOf(request);
    const attributes: CookieAttributes = {
      ...this.#fixedAttributes,
      ...(domain !== undefined && { domain }),
      secure: this.#isSecure(request),
      ...(settings as Pick<SetCookie, keyof SessionCookieSettings>),
    };
    if (!attributes.secure) this.#options.onInsecure?.(request, attributes.sameSite);
    if (value === '') return this.#start + this.#fixedText(attributes, DELETION);
    const text =
      maxAgeSeconds === null
        ? this.#fixedText(attributes)
        : this.#textOf({ ...attributes, ...lifetimeOf(maxAgeSeconds) });
    return this.#start + this.#write(value) + text;
  }

  /** As {@link #textOf}, for attributes that do not change with the time: made once, because that takes 3 µs. */
  #fixedText(attributes: CookieAttributes, lifetime?: typeof DELETION): string {
    const { domain, httpOnly, sameSite, secure } = attributes;
    const key = `${lifetime?.maxAge} ${domain ?? ''} ${httpOnly} ${sameSite} ${secure}`;
    const known = this.#knownTexts.peek(key);
    if (known !== undefined) return known;
    const text = this.#textOf({ ...attributes, ...lifetime });
    this.#knownTexts.set(key, text);
    return text;
  }

  /** What follows the value in the line. */
  #textOf(attributes: CookieAttributes): string {
    const { name } = this.#options;
    return stringifySetCookie({ ...attributes, name, value: '' }).slice(this.#start.length);
  }

  #read(raw: string): VerifiedValue | undefined {
    const { encoding, secrets } = this.#options;
    const decoded = decodeCookieValue(raw, encoding);
    if (decoded === undefined) return undefined;
    const length = decoded.endsWith(this.#routeSuffix)
      ? decoded.length - this.#routeSuffix.length
      : decoded.length;
    const value = decoded.slice(0, length);
    if (value === '') return undefined;
    return secrets.length === 0 ? { value, isOld: false } : verify(value, secrets);
  }

  #write(value: string): string {
    const { encoding, secrets } = this.#options;
    const [secret] = secrets;
    const signed = secret === undefined ? value : sign(value, secret);
    return encodeCookieValue(signed + this.#routeSuffix, encoding);
  }
}

function fixedAttributesOf(options: CookieSerializerOptions): CookieAttributes {
  const { httpOnly, partitioned, path, priority, sameSite } = options;
  return {
    path,
    httpOnly,
    partitioned,
    ...(priority !== undefined && { priority }),
    ...(sameSite !== null && { sameSite }),
  };
}

function predicateOf(secure: boolean | IsSecure): IsSecure {
  return typeof secure === 'function' ? secure : () => secure;
}

function lifetimeOf(maxAgeSeconds: number): Pick<SetCookie, 'maxAge' | 'expires'> {
  const maxAge = Math.min(maxAgeSeconds, MAX_COOKIE_AGE_SECONDS);
  return { maxAge, expires: new Date(Date.now() + maxAge * 1000) };
}

/** Makes a cookie value of `text`; `plain` is percent-encoded where RFC 6265 asks for it. */
export function encodeCookieValue(text: string, encoding: CookieEncoding): string {
  return encoding === 'base64' ? Buffer.from(text).toString('base64') : encodeURIComponent(text);
}

/** @returns undefined for a value that {@link encodeCookieValue} cannot have made; missing base64 padding is tolerated */
export function decodeCookieValue(value: string, encoding: CookieEncoding): string | undefined {
  return encoding === 'base64' ? decodeBase64(value) : decodePlain(value);
}

function decodePlain(value: string): string | undefined {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** Strict, unlike `Buffer.from`, which skips what it does not know: one id must not have many cookie values. */
function decodeBase64(value: string): string | undefined {
  const bytes = Buffer.from(value, 'base64');
  const canonical = bytes.toString('base64');
  if (value.padEnd(canonical.length, '=') !== canonical || !isUtf8(bytes)) return undefined;
  return bytes.toString();
}

/**
 * Yields the values of all cookies named exactly `name`, in the order of a `Cookie` header, without surrounding quotes. A
 * browser sends several when they differ in path or domain (RFC 6265 §5.4).
 */
export function* findCookieValues(header: string, name: string): Generator<string, void> {
  const marker = `${name}=`;
  let at = header.indexOf(marker);
  while (at !== -1) {
    const start = at + marker.length;
    if (startsPair(header, at)) {
      const semicolon = header.indexOf(';', start);
      const end = semicolon === -1 ? header.length : semicolon;
      yield unquoted(header.slice(start, end).trim());
    }
    at = header.indexOf(marker, start);
  }
}

function startsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (header[before] === ' ' || header[before] === '\t')) before -= 1;
  return before < 0 || header[before] === ';';
}

function unquoted(value: string): string {
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  return isQuoted ? value.slice(1, -1) : value;
}
