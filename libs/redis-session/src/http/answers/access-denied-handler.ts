import { type HttpExchange, redirectAnswer } from './http-exchange.js';
import { problemAnswer } from './http-answer.js';
import { isBrowserNavigation } from './request-matchers.js';

/** Answers a request that is denied. Mirrors `AccessDeniedHandler` of Spring Security. */
export interface AccessDeniedHandler {
  /**
   * Called when a user lacks an authority or a request has no CSRF token, and nothing of the response has left. Must answer
   * at once, and exactly once.
   *
   * @param denial - why; the library always says it. Default: the user lacks an authority
   */
  handle(exchange: HttpExchange, denial?: AccessDenial): void;
}

/** Why a request is denied, in words that the client may read. */
export interface AccessDenial {
  /** A sentence for people, plain text. */
  readonly detail: string;
  /** For programs. */
  readonly reason: 'denied' | 'missing-csrf-token' | 'invalid-csrf-token';
}

/** What a user without an authority is told. */
export const LACKS_AUTHORITY: AccessDenial = {
  detail: 'You may not use this resource.',
  reason: 'denied',
};

/** Makes the page that a user is shown who may not do what he asked; HTML. @param detail - plain text: the page must escape it */
type DeniedPage = (exchange: HttpExchange, detail: string) => string;

function plainPage(_exchange: HttpExchange, detail: string): string {
  const text = detail.replace(/[&<]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Forbidden</title><h1>Forbidden</h1><p>${text}</p></html>`;
}

const PAGE_HEADERS = { 'Cache-Control': 'no-store', 'Content-Type': 'text/html; charset=utf-8' };

/** What browsers are answered: `page`, or a redirect to `errorPage` if there is one. */
interface DefaultAccessDeniedHandlerOptions {
  readonly errorPage?: string | undefined;
  /** @defaultValue a plain page */
  readonly page?: DeniedPage | undefined;
}

/** A page or a redirect for browsers; problem details for everybody else. */
export function defaultAccessDeniedHandler({
  errorPage,
  page = plainPage,
}: DefaultAccessDeniedHandlerOptions = {}): AccessDeniedHandler {
  return {
    handle: (exchange, denial = LACKS_AUTHORITY) => {
      if (!isBrowserNavigation(exchange.request)) {
        exchange.answer(problemAnswer({ status: 403, ...denial }));
      } else if (errorPage !== undefined) {
        exchange.answer(redirectAnswer(exchange, errorPage));
      } else {
        const body = page(exchange, denial.detail);
        exchange.answer({ statusCode: 403, headers: PAGE_HEADERS, body });
      }
    },
  };
}
