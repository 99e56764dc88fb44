import { type ServerResponse } from 'node:http';

/**
 * Keeps what a user sees out of caches, so that nobody finds it there after he has logged out, by the back button or
 * in a proxy (OWASP session cheat sheet, "Web Content Caching"). What the application says itself stays and wins.
 *
 * @param cacheControl - the value of the header; false = none is set
 */
export function forbidCaching(response: ServerResponse, cacheControl: string | false): void {
  if (cacheControl === false || response.headersSent || response.hasHeader('Cache-Control')) return;
  response.setHeader('Cache-Control', cacheControl);
}
