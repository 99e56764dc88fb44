import { createHash } from 'node:crypto';
import { foreignProperty } from '../../lib/foreign-property.js';
import { type ExchangeMatcher, type HttpExchange } from '../answers/http-exchange.js';
import { isBrowserNavigation } from '../answers/request-matchers.js';
import { toSafeReturnPath } from './safe-return-path.js';

/**
 * What a safe return needs of a request: never cookies, `Authorization` or a body. Mirrors `SavedRequest` of Spring Security.
 */
export interface SavedRequest {
  /** Goes through the login page as `?continue=`. The same for the same request: reloading a page takes no place. */
  readonly key: string;
  /** Such as `GET`. */
  readonly method: string;
  /** Path and query; always safe to redirect to. */
  readonly url: string;
}

/** @returns undefined when it would not be safe to go back to `url` */
export function toSavedRequest(method: string, url: string): SavedRequest | undefined {
  const safeUrl = toSafeReturnPath(url);
  if (safeUrl === undefined) return undefined;
  const digest = createHash('sha256').update(`${method} ${safeUrl}`).digest('base64url');
  // 48 bits tell three requests of one visitor apart; the key gives no right, so it need not be secret.
  return { key: digest.slice(0, 8), method, url: safeUrl };
}

/** Puts `request` in front and keeps the newest `maximum`. */
export function withSavedRequest(
  requests: readonly SavedRequest[],
  request: SavedRequest,
  maximum: number,
): SavedRequest[] {
  return [request, ...withoutSavedRequest(requests, request)].slice(0, maximum);
}

/** All but `request`. */
export function withoutSavedRequest(
  requests: readonly SavedRequest[],
  { key }: SavedRequest,
): SavedRequest[] {
  return requests.filter((other) => other.key !== key);
}

/** The one that `key` names, or the newest when there is no key. */
export function pickSavedRequest(
  requests: readonly SavedRequest[],
  key: string | undefined,
): SavedRequest | undefined {
  return key === undefined ? requests[0] : requests.find((request) => request.key === key);
}

/** What can be trusted of a stored list: who could write to the store must not be able to send users elsewhere. */
export function parseSavedRequests(stored: unknown): SavedRequest[] {
  if (!Array.isArray(stored)) return [];
  return stored.flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null) return [];
    const { method, url } = item as Partial<Record<keyof SavedRequest, unknown>>;
    const isText = typeof method === 'string' && typeof url === 'string';
    return (isText ? toSavedRequest(method, url) : undefined) ?? [];
  });
}

/**
 * Keeps what a visitor asked for until the login: the newest requests, so that several tabs return to their own pages.
 * Mirrors `RequestCache` of Spring Security.
 */
export interface RequestCache {
  /** Keeps the request if it is worth it; must not wait. Tells the key by `setContinueKey`. */
  saveRequest(exchange: HttpExchange): void;
  /** Finds a saved request. @param key - what the client handed back of `continue`; undefined = the newest request */
  getRequest(exchange: HttpExchange, key?: string): Promise<SavedRequest | undefined>;
  /** Forgets `request`, to be called once the client is sent there. */
  removeRequest(exchange: HttpExchange, request: SavedRequest): Promise<void>;
}

/** How many requests are kept unless the option says otherwise: few people open more tabs before they log in. */
export const DEFAULT_MAX_SAVED_REQUESTS = 3;

/** What is kept unless the option says otherwise: pages that a browser asked for by GET. */
export const isWorthSaving: ExchangeMatcher = ({ request, url }) =>
  request.method === 'GET' && isBrowserNavigation(request) && !/^\/favicon\.\w+$/.test(url);

/** Keeps nothing: after a login everybody starts at the default page. Mirrors `NullRequestCache`. */
export const nullRequestCache: RequestCache = {
  saveRequest: () => undefined,
  getRequest: () => Promise.resolve(undefined),
  removeRequest: () => Promise.resolve(),
};

/** The query parameter of the login page that tells which saved request to go back to. */
export const CONTINUE_PARAMETER = 'continue';

const keys = foreignProperty<string>('continue key');

/** A request cache tells under which key it has saved the request of `exchange`. */
export function setContinueKey(exchange: HttpExchange, key: string): void {
  keys.set(exchange.request, key);
}

/** What an entry point hands on to the login page. @returns undefined when the request was not saved */
export function continueKeyOf(exchange: HttpExchange): string | undefined {
  return keys.get(exchange.request);
}

/** The key that the client hands back: that of the login page's own URL, to which a form without `action` posts. */
export function requestedContinueKey({ url }: HttpExchange): string | undefined {
  const start = url.indexOf('?');
  const query = start === -1 ? '' : url.slice(start);
  return new URLSearchParams(query).get(CONTINUE_PARAMETER) ?? undefined;
}
