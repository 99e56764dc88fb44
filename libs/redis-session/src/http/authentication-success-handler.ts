import { type Authentication } from '../security/authentication.js';
import { type HttpExchange } from './http-exchange.js';
import { requestedContinueKey } from './continue-key.js';
import { isBrowserNavigation } from './request-matchers.js';
import { type RequestCache, takeSavedRequest } from './request-cache.js';

/** A login that succeeded, and what is known of where it may lead. */
export interface AuthenticationSuccess {
  readonly exchange: HttpExchange;
  readonly authentication: Authentication;
  readonly requestCache: RequestCache;
  readonly defaultSuccessPath: string;
}

/** Decides where a login leads. Mirrors `AuthenticationSuccessHandler` of Spring Security. */
export interface AuthenticationSuccessHandler {
  /** @returns where to redirect to, or undefined to answer with the result of the login's handler */
  onAuthenticationSuccess(
    success: AuthenticationSuccess,
  ): Promise<string | undefined> | string | undefined;
}

/**
 * Leads browsers back to the page that they asked for. Mirrors `SavedRequestAwareAuthenticationSuccessHandler` of Spring
 * Security.
 */
export const savedRequestSuccessHandler: AuthenticationSuccessHandler = {
  async onAuthenticationSuccess({ exchange, requestCache, defaultSuccessPath }) {
    const saved = await takeSavedRequest(requestCache, exchange, requestedContinueKey(exchange));
    const isPage = isBrowserNavigation(exchange.request);
    return isPage ? (saved?.url ?? defaultSuccessPath) : undefined;
  },
};
