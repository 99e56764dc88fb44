import { stringifySetCookie, type SetCookie } from 'cookie';
import { type IncomingMessage } from 'node:http';
import { type SessionLogger } from '../../lib/logger.js';
import { LruMap } from '../../lib/lru-map.js';
import { type ResolvedCookieOptions, MAX_COOKIE_AGE_SECONDS } from './cookie-options.js';
import { type SessionCookieSettings } from './session-cookie.js';
import {
  domainByPattern,
  decodeCookieValue,
  encodeCookieValue,
  findCookieValues,
  sign,
  verify,
} from './cookie-value.js';

type IsSecure = (request: IncomingMessage) => boolean;

/** What a {@link CookieSerializer} needs: the checked options, and what only the platform knows. */
export interface CookieSerializerOptions extends Omit<ResolvedCookieOptions, 'rolling'> {
  /** Whether the request came over https, also through a trusted proxy; asked when `secure` is `'auto'`. */
  readonly isSecure: IsSecure;
  readonly onInsecure?: InsecureCookieListener;
}

/** A value that the client sent, decoded, with signature and route taken off. */
export interface CookieValue {
  readonly value: string;
  readonly isSignedWithOldSecret: boolean;
}

const DELETION = { maxAge: 0, expires: new Date(0) };
const NO_VALUES: readonly CookieValue[] = [];

/** Only `domainPattern` makes more of them than a few. */
const MAX_KNOWN_TEXTS = 100;

type CookieAttributes = Omit<SetCookie, 'name' | 'value'>;

/**
 * Reads and writes the session cookie.
 *
 * `SESSION=<id>[.<signature>][.<jvmRoute>]`, the value percent-encoded or base64-encoded as a whole.
 *
 * Mirrors `DefaultCookieSerializer` of Spring Session.
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
   * Reads the cookies of exactly the configured name, in the order of the header.
   *
   * Never throws. Left out: empty values, undecodable ones, and, when there are secrets, those whose signature is wrong.
   */
  readCookieValues(request: IncomingMessage): readonly CookieValue[] {
    const header = request.headers.cookie;
    if (header === undefined) return NO_VALUES;
    const found: CookieValue[] = [];
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

  #read(raw: string): CookieValue | undefined {
    const decoded = decodeCookieValue(raw, this.#options.encoding);
    if (decoded === undefined) return undefined;
    const length = decoded.endsWith(this.#routeSuffix)
      ? decoded.length - this.#routeSuffix.length
      : decoded.length;
    const value = decoded.slice(0, length);
    if (value === '') return undefined;
    if (this.#options.secrets.length === 0) return { value, isSignedWithOldSecret: false };
    const verified = verify(value, this.#options.secrets);
    return verified && { value: verified.value, isSignedWithOldSecret: verified.isOld };
  }

  #write(value: string): string {
    const {
      encoding,
      secrets: [secret],
    } = this.#options;
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

/** Hears of each session cookie that is sent without `Secure`. */
export type InsecureCookieListener = (
  request: IncomingMessage,
  sameSite: 'lax' | 'strict' | 'none' | boolean | undefined,
) => void;

const TRUST_THE_PROXY =
  'Have the platform trust the proxy that ends TLS (app.set("trust proxy", …) on Express, trustProxy of the FastifyAdapter), or set cookie.secure to true.';

/** Warns once of a cookie without `Secure` that no browser keeps, and once of one on a site that looks like https. */
export function insecureCookieWarning(logger: SessionLogger): InsecureCookieListener {
  let hasWarnedOfSameSite = false;
  let hasWarnedOfProxy = false;
  return (request, sameSite) => {
    if (sameSite === 'none' && !hasWarnedOfSameSite) {
      hasWarnedOfSameSite = true;
      logger.warn(
        `No browser keeps the session cookie: it has SameSite=None without Secure, because the request did not come over https as far as the platform knows. ${TRUST_THE_PROXY}`,
      );
    } else if (saysHttps(request) && !hasWarnedOfProxy) {
      hasWarnedOfProxy = true;
      logger.warn(
        `The session cookie is sent without Secure, although X-Forwarded-Proto says https: it came from a proxy that the platform does not trust. ${TRUST_THE_PROXY}`,
      );
    }
  };
}

function saysHttps({ headers }: IncomingMessage): boolean {
  return String(headers['x-forwarded-proto']).split(',', 1)[0]?.trim().toLowerCase() === 'https';
}
