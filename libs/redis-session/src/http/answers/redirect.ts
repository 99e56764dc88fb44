import { type HttpAnswer } from './http-answer.js';
import { type HttpExchange } from './http-exchange.js';

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
