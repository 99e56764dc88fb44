import { SessionOptionError } from '../session/session.errors.js';
import { type LogoutHandler } from './logout-handler.js';

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
