import { isUtf8 } from 'node:buffer';

/** `plain`: percent-encoded where RFC 6265 asks for it. `base64`: RFC 4648 standard alphabet over UTF-8, as Spring writes it. */
export type CookieEncoding = 'plain' | 'base64';

/** Makes a cookie value of `text`. */
export function encodeCookieValue(text: string, encoding: CookieEncoding): string {
  return encoding === 'base64' ? Buffer.from(text).toString('base64') : encodeURIComponent(text);
}

/**
 * Reverses {@link encodeCookieValue}.
 *
 * @returns undefined for a value that it cannot have made; missing base64 padding is tolerated
 */
export function decodeCookieValue(value: string, encoding: CookieEncoding): string | undefined {
  return encoding === 'base64' ? decodeBase64(value) : decodePlain(value);
}

function decodePlain(value: string): string | undefined {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** Strict, unlike `Buffer.from`, which skips what it does not know: one id must not have many cookie values. */
function decodeBase64(value: string): string | undefined {
  const bytes = Buffer.from(value, 'base64');
  const canonical = bytes.toString('base64');
  if (value.padEnd(canonical.length, '=') !== canonical || !isUtf8(bytes)) return undefined;
  return bytes.toString();
}
