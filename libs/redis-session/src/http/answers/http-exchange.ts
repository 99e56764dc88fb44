import { type IncomingMessage } from 'node:http';
import { type SessionRequest } from '../request/session-request.js';
import { type HttpAnswer } from './http-answer.js';

/**
 * One request and the answer to it, the same on Express and on Fastify. What strategies such as
 * `AuthenticationEntryPoint` work with. Nothing here waits: see `SessionRequest.doBeforeCommit`.
 */
export interface HttpExchange {
  /** The raw request of node:http. */
  readonly request: IncomingMessage;
  /** Path and query as the client sent them, whatever a router has stripped. */
  readonly url: string;
  /** Whether the client's connection is TLS, seen through the proxies that the platform trusts. */
  readonly isSecure: boolean;
  /** undefined on a route that is excluded from sessions */
  readonly sessionRequest: SessionRequest | undefined;
  /** Whether the response has begun to leave: nothing can be answered any more. */
  readonly isCommitted: boolean;
  /** Headers that the platform has for this response, such as those of CORS, are sent too. */
  answer(answer: HttpAnswer): void;
  /** Adds a header, such as a further Set-Cookie, to what will be answered. */
  appendHeader(name: string, value: string): void;
}

/** A question about a request, such as `({ request }) => isBrowserNavigation(request)`. */
export type ExchangeMatcher = (exchange: HttpExchange) => boolean;

/** 302, or 303 after a form: the browser shall ask for the page, not send the form there (RFC 9110 §15.4.4). */
export function redirectAnswer(
  { request }: Pick<HttpExchange, 'request'>,
  location: string,
): HttpAnswer {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  return {
    statusCode: isRead ? 302 : 303,
    headers: { 'Cache-Control': 'no-store', Location: location },
  };
}

/** Adds parameters to `url`, before its fragment; those that are undefined are left out. */
export function withQuery(
  url: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => !!entry[1]);
  if (given.length === 0) return url;
  const hash = url.indexOf('#');
  const base = hash === -1 ? url : url.slice(0, hash);
  const separator = base.includes('?') ? '&' : '?';
  return base + separator + new URLSearchParams(given).toString() + url.slice(base.length);
}
