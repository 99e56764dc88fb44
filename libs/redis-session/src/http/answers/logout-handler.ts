import { type Authentication } from '../../security/authentication.js';
import { type HttpExchange } from './http-exchange.js';
import { SessionOptionError } from '../../session/session.errors.js';

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

const DIRECTIVES = ['cache', 'cookies', 'storage', 'executionContexts', '*'] as const;

/** What a browser is asked to throw away. */
export type ClearSiteDataDirective = (typeof DIRECTIVES)[number];

/**
 * Has the browser throw away what it keeps of the site: pages that the back button would show, local storage.
 *
 * `Clear-Site-Data: "cache", "storage"`; browsers heed it over https only, and `cookies` clears those of all subdomains.
 *
 * Mirrors `ClearSiteDataHeaderWriter` of Spring Security.
 *
 * @throws SessionOptionError for an unknown directive, and when there is none
 * @see W3C Clear Site Data §3.1
 */
export function clearSiteData(...directives: readonly ClearSiteDataDirective[]): LogoutHandler {
  const isKnown = directives.every((directive) => DIRECTIVES.includes(directive));
  if (directives.length === 0 || !isKnown) {
    throw new SessionOptionError(
      `clearSiteData must be some of ${DIRECTIVES.join(', ')}, got ${JSON.stringify(directives)}.`,
    );
  }
  const value = directives.map((directive) => `"${directive}"`).join(', ');
  return {
    logout: (exchange) => {
      if (exchange.isSecure) exchange.appendHeader('Clear-Site-Data', value);
    },
  };
}
