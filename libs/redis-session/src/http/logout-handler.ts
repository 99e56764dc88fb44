import { type Authentication } from '../security/authentication.js';
import { type HttpExchange } from './http-exchange.js';

/**
 * Does something of its own when a user logs out, such as clearing what else the browser keeps. Called when the session
 * is deleted, and before the response leaves.
 *
 * Mirrors `LogoutHandler` of Spring Security.
 */
export interface LogoutHandler {
  /** @param authentication - who has logged out; undefined for an anonymous visitor */
  logout(exchange: HttpExchange, authentication: Authentication | undefined): void | Promise<void>;
}
