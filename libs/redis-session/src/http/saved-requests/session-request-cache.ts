import { SAVED_REQUESTS_ATTRIBUTE } from '../../session/attributes/attribute-names.js';
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
import { EarlyEnd } from '../request/before-commit.js';

/** Anybody can ask for a page, so anybody can fill the store. Few pages have longer addresses. */
const MAX_URL_LENGTH = 1024;

/**
 * Keeps requests in the session attribute `SAVED_REQUESTS`, newest first, but no URL of more than 1,024 characters. A visitor
 * without a session gets one for it, which ends after `security.savedRequestSeconds` unless it comes to hold anything else.
 * Mirrors `HttpSessionRequestCache` of Spring Security, which has one place that every request overwrites.
 */
export class SessionRequestCache implements RequestCache {
  constructor(
    private readonly maximum = DEFAULT_MAX_SAVED_REQUESTS,
    private readonly isSaved: ExchangeMatcher = isWorthSaving,
  ) {}

  saveRequest(exchange: HttpExchange): void {
    const { sessionRequest, request, url } = exchange;
    const saved = toSavedRequest(request.method ?? '', url);
    if (!sessionRequest || !saved || url.length > MAX_URL_LENGTH) return;
    if (!this.isSaved(exchange)) return;
    setContinueKey(exchange, saved.key);
    sessionRequest.doBeforeCommit(async () => {
      const session = await sessionRequest.getSession();
      const [newest] = parseSavedRequests(session.getAttribute(SAVED_REQUESTS_ATTRIBUTE));
      if (newest?.key === saved.key) return;
      sessionRequest.earlyEnd ??= EarlyEnd.begin(session, sessionRequest.setup.visitorTimeouts);
      void session.update(SAVED_REQUESTS_ATTRIBUTE, (stored: unknown) =>
        withSavedRequest(parseSavedRequests(stored), saved, this.maximum),
      );
    });
  }

  async getRequest(exchange: HttpExchange, key?: string): Promise<SavedRequest | undefined> {
    const session = await exchange.sessionRequest?.getSession({ create: false });
    const stored = session?.getAttribute<object | string | null>(SAVED_REQUESTS_ATTRIBUTE);
    return pickSavedRequest(parseSavedRequests(stored), key);
  }

  async removeRequest(exchange: HttpExchange, request: SavedRequest): Promise<void> {
    const session = await exchange.sessionRequest?.getSession({ create: false });
    if (session?.getAttribute(SAVED_REQUESTS_ATTRIBUTE) === undefined) return;
    void session.update(SAVED_REQUESTS_ATTRIBUTE, (stored: unknown) => {
      const others = withoutSavedRequest(parseSavedRequests(stored), request);
      return others.length > 0 ? others : undefined;
    });
  }
}
