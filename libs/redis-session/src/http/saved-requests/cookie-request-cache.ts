import { stringifySetCookie } from 'cookie';
import { SessionOptionError } from '../../session/session.errors.js';
import { type ExchangeMatcher, type HttpExchange } from '../answers/http-exchange.js';
import {
  setContinueKey,
  DEFAULT_MAX_SAVED_REQUESTS,
  isWorthSaving,
  type RequestCache,
  parseSavedRequests,
  pickSavedRequest,
  type SavedRequest,
  toSavedRequest,
  withoutSavedRequest,
  withSavedRequest,
} from './request-cache.js';
import { MIN_SECRET_LENGTH, sign, verify } from '../session-id/cookie-signature.js';
import { findCookieValues } from '../session-id/cookie-serializer.js';

/** Browsers drop cookies above 4096 bytes, name and attributes included (RFC 6265 §6.1). */
const MAX_VALUE_LENGTH = 3800;

/** How a {@link CookieRequestCache} works. */
export interface CookieRequestCacheOptions {
  /** Secrets for signing the cookie, of 32 characters or more. The first signs, all verify. */
  readonly secrets: readonly string[];
  /** @defaultValue 'SAVED_REQUESTS' */
  readonly cookieName?: string;
  /** Seconds the client keeps it: as long as somebody may take to log in. @defaultValue 900 */
  readonly maxAgeSeconds?: number;
  /** @defaultValue 3; fewer are kept when they are too long for a cookie */
  readonly maximum?: number;
  /** @defaultValue pages that a browser asked for by GET */
  readonly isSaved?: ExchangeMatcher;
}

/**
 * Keeps requests in a signed cookie: nothing is stored on the server for a visitor who is not logged in. Whoever has the
 * browser can read it; an attacker can neither make one up, nor have it lead to another site. Mirrors `CookieRequestCache` of
 * Spring Security, which does not sign.
 */
export class CookieRequestCache implements RequestCache {
  private readonly options: Required<CookieRequestCacheOptions>;

  /** @throws SessionOptionError when there is no secret, or a short one */
  constructor(options: CookieRequestCacheOptions) {
    const { secrets } = options;
    if (secrets.length === 0 || secrets.some((secret) => secret.length < MIN_SECRET_LENGTH)) {
      throw new SessionOptionError(
        `secrets must be a list of strings of at least ${MIN_SECRET_LENGTH} characters each.`,
      );
    }
    this.options = {
      cookieName: 'SAVED_REQUESTS',
      isSaved: isWorthSaving,
      maxAgeSeconds: 900,
      maximum: DEFAULT_MAX_SAVED_REQUESTS,
      ...options,
    };
  }

  saveRequest(exchange: HttpExchange): void {
    const saved = toSavedRequest(exchange.request.method ?? '', exchange.url);
    if (!saved || !this.options.isSaved(exchange)) return;
    setContinueKey(exchange, saved.key);
    this.write(exchange, withSavedRequest(this.read(exchange), saved, this.options.maximum));
  }

  getRequest(exchange: HttpExchange, key?: string): Promise<SavedRequest | undefined> {
    return Promise.resolve(pickSavedRequest(this.read(exchange), key));
  }

  removeRequest(exchange: HttpExchange, request: SavedRequest): Promise<void> {
    this.write(exchange, withoutSavedRequest(this.read(exchange), request));
    return Promise.resolve();
  }

  private read({ request }: HttpExchange): SavedRequest[] {
    const { cookieName, secrets, maximum } = this.options;
    for (const signed of findCookieValues(request.headers.cookie ?? '', cookieName)) {
      const verified = verify(signed, secrets);
      if (verified) return parseSavedRequests(decode(verified.value)).slice(0, maximum);
    }
    return [];
  }

  private write(exchange: HttpExchange, requests: readonly SavedRequest[]): void {
    const { cookieName, maxAgeSeconds } = this.options;
    const value = this.encode(requests);
    const cookie = stringifySetCookie({
      name: cookieName,
      value,
      httpOnly: true,
      maxAge: value === '' ? 0 : maxAgeSeconds,
      path: '/',
      sameSite: 'lax',
      secure: exchange.isSecure,
    });
    exchange.appendHeader('Set-Cookie', cookie);
  }

  private encode(requests: readonly SavedRequest[]): string {
    const [secret = ''] = this.options.secrets;
    for (let kept = requests; kept.length > 0; kept = kept.slice(0, -1)) {
      const plain = kept.map(({ method, url }) => ({ method, url }));
      const value = sign(Buffer.from(JSON.stringify(plain)).toString('base64url'), secret);
      if (value.length <= MAX_VALUE_LENGTH) return value;
    }
    return '';
  }
}

function decode(value: string): unknown {
  try {
    return JSON.parse(Buffer.from(value, 'base64url').toString());
  } catch {
    return undefined;
  }
}
