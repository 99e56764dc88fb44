import { type AuthenticationFailureReason } from '../security/authentication-failure-reason.js';
import { type HttpExchange } from './http-exchange.js';

/**
 * Answers a request that needs a login: tells the client how to log in. Called once the request is saved, and only when
 * nothing of the response has left. Must not wait.
 *
 * Mirrors `AuthenticationEntryPoint` of Spring Security.
 */
export interface AuthenticationEntryPoint {
  /** @param reason - undefined = `unauthenticated` */
  commence(exchange: HttpExchange, reason?: AuthenticationFailureReason): void;
}

/** A question about a request, such as `({ request }) => isBrowserNavigation(request)`. */
export type ExchangeMatcher = (exchange: HttpExchange) => boolean;
