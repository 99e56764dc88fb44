import { type IncomingMessage } from 'node:http';
import { type HttpExchange } from '../http/answers/http-exchange.js';
import { type SessionRequest } from '../http/request/session-request.js';
import {
  setContinueKey,
  isWorthSaving,
  type RequestCache,
  parseSavedRequests,
  pickSavedRequest,
  type SavedRequest,
  toSavedRequest,
} from '../http/saved-requests/request-cache.js';
import { SAVED_REQUESTS_ATTRIBUTE } from '../session/attributes/attribute-names.js';
import { ofStoredClass } from './java-value.js';
import { SAVED_REQUEST } from './spring-attributes.js';

/** Spring adds the parameter to the address of a page to which a login leads. */
const VISITED = /^(.*)[?&]continue$/;

/**
 * Keeps the request where Spring Security keeps it, so that a login on either side leads to the page that the other side has
 * refused. There is one place, as at Spring; a later request takes it.
 *
 * Counterpart of `HttpSessionRequestCache` of Spring Security. Neither headers, cookies nor a body are kept.
 */
export class SpringRequestCache implements RequestCache {
  /** Set when the application starts. */
  isSecure: (request: IncomingMessage) => boolean = () => false;

  saveRequest(exchange: HttpExchange): void {
    const { sessionRequest, request, url } = exchange;
    const saved = toSavedRequest(request.method ?? '', url);
    if (!sessionRequest || !saved || !isWorthSaving(exchange)) return;
    setContinueKey(exchange, saved.key);
    sessionRequest.doBeforeCommit(async () => {
      const session = await sessionRequest.getSession();
      const stored = session.getAttribute(SAVED_REQUESTS_ATTRIBUTE);
      if (fromSpring(stored)[0]?.key === saved.key) return;
      session.setAttribute(SAVED_REQUESTS_ATTRIBUTE, this.toSpring(saved, request));
    });
  }

  async getRequest(exchange: HttpExchange, key?: string): Promise<SavedRequest | undefined> {
    const session = await exchange.sessionRequest?.getSession({ create: false });
    return pickSavedRequest(fromSpring(session?.getAttribute(SAVED_REQUESTS_ATTRIBUTE)), key);
  }

  async removeRequest(exchange: HttpExchange): Promise<void> {
    const session = await exchange.sessionRequest?.getSession({ create: false });
    session?.removeAttribute(SAVED_REQUESTS_ATTRIBUTE);
  }

  /**
   * Forgets the saved page when `sessionRequest` is for it and comes from a login at Spring, which leads there with the parameter
   * `continue` and expects the page to forget it.
   */
  forgetVisited(sessionRequest: SessionRequest): void {
    const request: IncomingMessage & { readonly originalUrl?: string } = sessionRequest.request;
    const { method = '', url = '', originalUrl = url } = request;
    const page = VISITED.exec(originalUrl)?.[1];
    if (page === undefined) return;
    sessionRequest.doBeforeCommit(async () => {
      const session = await sessionRequest.getSession({ create: false });
      const [saved] = fromSpring(session?.getAttribute(SAVED_REQUESTS_ATTRIBUTE));
      if (saved && saved.key === toSavedRequest(method, page)?.key)
        session?.removeAttribute(SAVED_REQUESTS_ATTRIBUTE);
    });
  }

  private toSpring({ method, url }: SavedRequest, request: IncomingMessage): object {
    const [path, query] = splitOnce(url, '?');
    const scheme = this.isSecure(request) ? 'https' : 'http';
    const { hostname, port } = new URL(`${scheme}://${request.headers.host ?? 'localhost'}`);
    const isDefaultPort = port === '';
    return ofStoredClass(SAVED_REQUEST, {
      contextPath: '',
      matchingRequestParameterName: 'continue',
      method,
      queryString: query ?? null,
      requestURI: path,
      requestURL: `${scheme}://${hostname}${isDefaultPort ? '' : `:${port}`}${path}`,
      scheme,
      serverName: hostname,
      serverPort: isDefaultPort ? (scheme === 'https' ? 443 : 80) : Number(port),
      servletPath: path,
    });
  }
}

/** Path and query alone: who can write to the store must not be able to send users to another site. */
function fromSpring(stored: unknown): SavedRequest[] {
  if (typeof stored !== 'object' || stored === null) return [];
  const { method, requestURI, queryString } = stored as Record<string, unknown>;
  if (typeof requestURI !== 'string') return [];
  const query = typeof queryString === 'string' && queryString !== '' ? `?${queryString}` : '';
  return parseSavedRequests([{ method, url: requestURI + query }]);
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
