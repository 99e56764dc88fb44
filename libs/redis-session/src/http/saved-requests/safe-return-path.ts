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
 * @returns `url`, a path and query as a client sent them, or undefined when it is not safe
 */
export function toSafeReturnPath(url: string): string | undefined {
  if (url.length > MAX_LENGTH || !REQUEST_TARGET.test(url)) return undefined;
  const [path = ''] = url.split('?', 1);
  return isCanonicalPath(url) && unwrapPath(path)?.every(isHarmless) ? url : undefined;
}

/** Slashes of other scripts, and what stands for an overlong encoded one, are taken for a slash by some servers. */
const SECOND_SLASH = /^\/[/\\\s\u2044\u2215\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c\ufffd]/;
const DOT_SEGMENT = /[/\\]\.{1,2}(?:[/\\;?#]|$)/;
const CONTROL = /\p{Cc}/u;

function isHarmless(path: string): boolean {
  return !SECOND_SLASH.test(path) && !DOT_SEGMENT.test(path) && !CONTROL.test(path);
}

const ORIGIN = 'http://origin.invalid';
/** Client, proxy and application decode once each at most; a path that needs more is a trick. */
const MAX_ROUNDS = 5;

/** Whether `url` stays on its site, and stays what it is, when it is resolved as the WHATWG URL standard says. */
function isCanonicalPath(url: string): boolean {
  if (!URL.canParse(url, ORIGIN)) return false;
  const { origin, pathname, search } = new URL(url, ORIGIN);
  if (origin !== ORIGIN || pathname.startsWith('//') || /^[^?]*\\/.test(url)) return false;
  const again = new URL(pathname + search, ORIGIN);
  return again.pathname === pathname && again.search === search;
}

/** All that `path` becomes when it is percent-decoded again and again. @returns undefined when that does not come to an end */
function unwrapPath(path: string): readonly string[] | undefined {
  const rounds = [path];
  for (let text = path; rounds.length <= MAX_ROUNDS; rounds.push(text)) {
    const decoded = decode(text);
    if (decoded === text) return rounds;
    text = decoded;
  }
  return undefined;
}

/** Never fails, unlike `decodeURIComponent`: what is wrong in one place must not hide what stands in another. */
function decode(text: string): string {
  return text
    .replace(/%u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    .replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
      Buffer.from(run.replaceAll('%', ''), 'hex').toString(),
    );
}
