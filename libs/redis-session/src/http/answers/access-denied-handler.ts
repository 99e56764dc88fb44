import { type ExchangeMatcher, type HttpExchange, redirectAnswer } from './http-exchange.js';
import { problemAnswer } from './http-answer.js';
import { isBrowserNavigation } from './request-matchers.js';

/**
 * Answers a request that is denied. Called only when nothing of the response has left. Must not wait.
 *
 * Mirrors `AccessDeniedHandler` of Spring Security.
 */
export interface AccessDeniedHandler {
  /**
   * Answers a request of a user who lacks an authority, or one without a CSRF token. Must answer at once, and exactly once.
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

function plainPage(_exchange: HttpExchange, detail: string): string {
  const text = detail.replace(/[&<]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Forbidden</title><h1>Forbidden</h1><p>${text}</p></html>`;
}

/** Answers 403 with problem details. */
export const problemAccessDeniedHandler: AccessDeniedHandler = {
  handle: (exchange, denial = LACKS_AUTHORITY) => {
    exchange.answer(problemAnswer({ status: 403, ...denial }));
  },
};

/** Makes the page that a user is shown who may not do what he asked; HTML. @param detail - plain text: the page must escape it */
export type DeniedPage = (exchange: HttpExchange, detail: string) => string;

/** Answers 403 with a page. @param page - undefined = a plain one */
export function pageAccessDeniedHandler(page: DeniedPage = plainPage): AccessDeniedHandler {
  const headers = { 'Cache-Control': 'no-store', 'Content-Type': 'text/html; charset=utf-8' };
  return {
    handle: (exchange, { detail } = LACKS_AUTHORITY) => {
      exchange.answer({ statusCode: 403, headers, body: page(exchange, detail) });
    },
  };
}

/** Sends the client to another page, such as the application's own error page. */
export function redirectAccessDeniedHandler(location: string): AccessDeniedHandler {
  return {
    handle: (exchange) => {
      exchange.answer(redirectAnswer(exchange, location));
    },
  };
}

/** Leaves the answer to the first handler whose matcher says yes. */
export function delegatingAccessDeniedHandler(
  handlers: readonly (readonly [ExchangeMatcher, AccessDeniedHandler])[],
  defaultHandler: AccessDeniedHandler,
): AccessDeniedHandler {
  return {
    handle: (exchange, denial) => {
      const match = handlers.find(([matches]) => matches(exchange));
      (match?.[1] ?? defaultHandler).handle(exchange, denial);
    },
  };
}

/** What browsers are answered: `page`, or a redirect to `errorPage` if there is one. */
export interface DefaultAccessDeniedHandlerOptions {
  readonly errorPage?: string | undefined;
  /** @defaultValue a plain page */
  readonly page?: DeniedPage | undefined;
}

/** A page or a redirect for browsers; problem details for everybody else. */
export function defaultAccessDeniedHandler({
  errorPage,
  page,
}: DefaultAccessDeniedHandlerOptions = {}): AccessDeniedHandler {
  const forBrowsers =
    errorPage === undefined
      ? pageAccessDeniedHandler(page)
      : redirectAccessDeniedHandler(errorPage);
  return delegatingAccessDeniedHandler(
    [[({ request }) => isBrowserNavigation(request), forBrowsers]],
    problemAccessDeniedHandler,
  );
}
