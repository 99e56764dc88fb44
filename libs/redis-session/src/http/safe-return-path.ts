import { isCanonicalPath, unwrapPath } from './path-decoding.js';

/** Longer ones are not kept: the path must fit in a cookie, and nobody links to such pages. */
const MAX_LENGTH = 2048;
/** What node:http and browsers send; everything else arrives percent-encoded. No fragment: it never leaves the browser. */
const REQUEST_TARGET = /^\/[!-"$-~]*$/;

/**
 * Lets only paths through that lead to the site itself, so that a login cannot be used to send its user elsewhere
 * (open redirect, CWE-601).
 *
 * Refused: absolute URLs, `//host` and `/\host` in every spelling that a browser or a proxy may take for them, also
 * when percent-encoded several times, dot segments, control characters, and more than 2048 characters.
 *
 * @param url - path and query as a client sent them
 * @returns `url` unchanged, or undefined when it is not safe
 */
export function toSafeReturnPath(url: string): string | undefined {
  if (url.length > MAX_LENGTH || !REQUEST_TARGET.test(url)) return undefined;
  const path = url.replace(/\?.*$/s, '');
  return isCanonicalPath(url) && unwrapPath(path)?.every(isHarmless) ? url : undefined;
}

/** Slashes of other scripts, and what stands for an overlong encoded one, are taken for a slash by some servers. */
const SECOND_SLASH = /^\/[/\\\s\u2044\u2215\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c\ufffd]/;
const DOT_SEGMENT = /[/\\]\.{1,2}(?:[/\\;?#]|$)/;
const CONTROL = /\p{Cc}/u;

function isHarmless(path: string): boolean {
  return !SECOND_SLASH.test(path) && !DOT_SEGMENT.test(path) && !CONTROL.test(path);
}
