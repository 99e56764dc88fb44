import { type ExchangeMatcher, type HttpExchange, redirectAnswer } from './http-exchange.js';
import { problemAnswer } from './http-answer.js';
import { isBrowserNavigation } from './request-matchers.js';

/**
 * Answers a request of a logged-in user who may not do this. Called only when nothing of the response has left. Must
 * not wait.
 *
 * Mirrors `AccessDeniedHandler` of Spring Security.
 */
export interface AccessDeniedHandler {
  /** Answers a request of a user who lacks an authority. Must answer at once, and exactly once. */
  handle(exchange: HttpExchange): void;
}

const DETAIL = 'You may not use this resource.';
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Forbidden</title><h1>Forbidden</h1><p>${DETAIL}</p></html>`;

/** Answers 403 with problem details. */
export const problemAccessDeniedHandler: AccessDeniedHandler = {
  handle: (exchange) => {
    exchange.answer(problemAnswer({ status: 403, detail: DETAIL, reason: 'denied' }));
  },
};

/** Makes the page that a user is shown who may not do what he asked; HTML. */
export type DeniedPage = (exchange: HttpExchange) => string;

/** Answers 403 with a page. @param page - undefined = a plain one */
export function pageAccessDeniedHandler(page: DeniedPage = () => PAGE): AccessDeniedHandler {
  const headers = { 'Cache-Control': 'no-store', 'Content-Type': 'text/html; charset=utf-8' };
  return {
    handle: (exchange) => {
      exchange.answer({ statusCode: 403, headers, body: page(exchange) });
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
    handle: (exchange) => {
      const match = handlers.find(([matches]) => matches(exchange));
      (match?.[1] ?? defaultHandler).handle(exchange);
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
