import type { IncomingMessage } from 'node:http';

/** Longest host name, RFC 1035 §2.3.4. Also bounds the work of the application's own pattern on a hostile `Host` header. */
const MAX_HOST_NAME_LENGTH = 253;
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'i');

/** Whether `text` may stand in the `Domain` attribute: dot-separated labels, no dot or hyphen at the ends. */
export function isCookieDomain(text: string): boolean {
  return text.length <= MAX_HOST_NAME_LENGTH && DOMAIN.test(text);
}

/**
 * Makes the function that finds the `Domain` of the cookie for a request.
 *
 * @param pattern - must match the whole host name, in any case; its group 1 is the domain
 * @returns a function that gives undefined (no `Domain` attribute) when the pattern does not match
 */
export function domainByPattern(pattern: RegExp): (request: IncomingMessage) => string | undefined {
  const flags = new Set(pattern.flags.replace(/[gy]/g, '')).add('i');
  const wholeName = new RegExp(`^(?:${pattern.source})$`, [...flags].join(''));
  return (request) => {
    const host = hostNameOf(request);
    if (host.length > MAX_HOST_NAME_LENGTH) return undefined;
    const domain = wholeName.exec(host)?.[1];
    return domain !== undefined && isCookieDomain(domain) ? domain : undefined;
  };
}

function hostNameOf(request: IncomingMessage): string {
  const host = request.headers.host ?? request.headers[':authority'];
  return typeof host === 'string' ? host.replace(/:\d*$/, '') : '';
}
