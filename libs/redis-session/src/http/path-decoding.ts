const ORIGIN = 'http://origin.invalid';
/** Client, proxy and application decode once each at most; a path that needs more is a trick. */
const MAX_ROUNDS = 5;

/** Whether `url` stays on its site, and stays what it is, when it is resolved as the WHATWG URL standard says. */
export function isCanonicalPath(url: string): boolean {
  if (!URL.canParse(url, ORIGIN)) return false;
  const { origin, pathname, search } = new URL(url, ORIGIN);
  if (origin !== ORIGIN || pathname.startsWith('//') || /^[^?]*\\/.test(url)) return false;
  const again = new URL(pathname + search, ORIGIN);
  return again.pathname === pathname && again.search === search;
}

/**
 * All that `path` becomes when it is percent-decoded again and again, itself included.
 *
 * @returns undefined when it does not come to an end
 */
export function unwrapPath(path: string): readonly string[] | undefined {
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
