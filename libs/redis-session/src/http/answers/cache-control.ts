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

/**
 * A cache that several people share would send one client's session id to others. Replaces what the application says
 * itself, unless that keeps shared caches out.
 *
 * @param cacheControl - the value of the header; false = it stays as it is
 */
export function keepOutOfSharedCaches(
  response: ServerResponse,
  cacheControl: string | false = 'no-store',
): void {
  if (cacheControl === false || response.headersSent) return;
  const current = String(response.getHeader('Cache-Control') ?? '');
  if (!/\b(?:no-store|private)\b/i.test(current)) response.setHeader('Cache-Control', cacheControl);
}
