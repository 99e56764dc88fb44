import { type ServerResponse } from 'node:http';

/**
 * Keeps what a user sees out of caches, so that nobody finds it there after he has logged out, by the back button or
 * in a proxy (OWASP session cheat sheet, "Web Content Caching"). What the application says itself stays and wins.
 */
export function forbidCaching(response: ServerResponse, cacheControl: string | false): void {
  if (cacheControl === false || response.headersSent || response.hasHeader('Cache-Control')) return;
  response.setHeader('Cache-Control', cacheControl);
}

/**
 * A cache that several people share would send one client's session id to others. Replaces what the application says
 * itself, unless that keeps shared caches out.
 */
export function keepOutOfSharedCaches(
  response: ServerResponse,
  cacheControl: string | false = 'no-store',
): void {
  if (cacheControl === false || response.headersSent) return;
  const current = String(response.getHeader('Cache-Control') ?? '');
  if (!keepsOut(current)) response.setHeader('Cache-Control', cacheControl);
}

/** `private="x-note"` is about one header alone (RFC 9111 §5.2.2.7). Beside `public` or `s-maxage`, `private` does not help. */
function keepsOut(cacheControl: string): boolean {
  const directives = cacheControl.split(',').map((each) => each.trim().toLowerCase());
  const isShared = directives.some((each) => each === 'public' || each.startsWith('s-maxage'));
  return directives.includes('no-store') || (directives.includes('private') && !isShared);
}
