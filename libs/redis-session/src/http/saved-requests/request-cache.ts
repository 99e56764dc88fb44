import { foreignProperty } from '../../lib/foreign-property.js';
import { type ExchangeMatcher, type HttpExchange } from '../answers/http-exchange.js';
import { isBrowserNavigation } from '../answers/request-matchers.js';
import { type SavedRequest } from './saved-request.js';

/**
 * Keeps what a visitor asked for while he logs in. The newest requests are kept, so that several tabs find back to their
 * own pages.
 *
 * Mirrors `RequestCache` of Spring Security.
 */
export interface RequestCache {
  /** Keeps the request if it is worth it; must not wait. Tells the key by `setContinueKey`. */
  saveRequest(exchange: HttpExchange): void;
  /**
   * Finds a saved request.
   *
   * @param key - what the client handed back of `continue`; undefined = the newest request
   */
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

/** Gives the saved request and forgets it: a login leads back once. */
export async function takeSavedRequest(
  cache: RequestCache,
  exchange: HttpExchange,
  key?: string,
): Promise<SavedRequest | undefined> {
  const request = await cache.getRequest(exchange, key);
  if (request) await cache.removeRequest(exchange, request);
  return request;
}

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
  const query = url.slice(url.indexOf('?') + 1);
  return url.includes('?')
    ? (new URLSearchParams(query).get(CONTINUE_PARAMETER) ?? undefined)
    : undefined;
}
