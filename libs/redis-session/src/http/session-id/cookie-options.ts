import { type IncomingMessage } from 'node:http';
import { z } from 'zod';
import {
  type OptionsOf,
  type ResolvedOptionsOf,
  flagOption,
  functionOption,
  patternOption,
  refuseContradictions,
  resolveOptionGroup,
  secretOption,
  tokenOption,
} from '../../lib/option-group.js';
import { MIN_SECRET_LENGTH } from './cookie-signature.js';

/** 2^31 - 1: older browsers count in 32 bits. */
export const MAX_COOKIE_AGE_SECONDS = 2_147_483_647;

/** RFC 6265bis §5.5: browsers keep a cookie for 400 days at most. */
export const MAX_KEPT_COOKIE_SECONDS = 400 * 24 * 60 * 60;

/** What `cookie` takes: the session cookie. */
export const cookieOptionGroup = z.strictObject({
  /** Host name of the `Domain` attribute. Default: the cookie goes only to the host that set it. */
  domain: z
    .string()
    .refine(isCookieDomain)
    .describe('a host name without a leading dot, such as "example.com"')
    .optional(),
  /** Matched against the whole host name of the request, in any case. Group 1 is the `Domain`; no match sets none. */
  domainPattern: z.instanceof(RegExp).describe('a regular expression').optional(),
  /** How the value is written. `'base64'` shares the cookie with Spring applications. */
  encoding: z.enum(['plain', 'base64']).default('plain'),
  /** Keeps scripts of the page from reading the cookie. */
  httpOnly: flagOption.default(true),
  /** Appended to the value as `.<jvmRoute>` for a load balancer that routes by it, and removed when read. */
  jvmRoute: patternOption(/^[\w-]+$/, 'made of letters, digits, "_" and "-"').optional(),
  /** Seconds that the browser keeps the cookie. Null keeps it until the browser is closed. */
  maxAgeSeconds: z
    .int()
    .min(0)
    .max(MAX_COOKIE_AGE_SECONDS)
    .nullable()
    .describe(`null or an integer from 0 to ${MAX_COOKIE_AGE_SECONDS}`)
    .default(null),
  /** Browsers check the prefixes `__Host-` and `__Secure-`, and so does the start (RFC 6265bis §4.1.3). */
  name: tokenOption('a token of RFC 6265, such as "SESSION"').default('SESSION'),
  /** Keeps the cookie apart per embedding site. Needs `secure`. */
  partitioned: flagOption.default(false),
  /** The absolute path below which the browser sends the cookie. */
  path: patternOption(
    /^\/[\x20-\x3a\x3d-\x7e]*$/,
    'printable ASCII that starts with "/" and has no ";" and no "<"',
  ).default('/'),
  /** The `Priority` attribute of Chromium. Default: none. */
  priority: z.enum(['low', 'medium', 'high']).optional(),
  /** Sends the cookie with every answer, so that `maxAgeSeconds` counts from the last request, not from the login. */
  rolling: flagOption.default(false),
  /** Null omits the attribute. `'none'` needs `secure`. */
  sameSite: z.enum(['lax', 'strict', 'none']).nullable().default('lax'),
  /** Secrets for signing the cookie, of 32 characters or more. The first signs, all verify. An empty list signs nothing. */
  secrets: z
    .array(secretOption(MIN_SECRET_LENGTH))
    .readonly()
    .describe(`a list of strings of at least ${MIN_SECRET_LENGTH} characters each`)
    .default([]),
  /** `'auto'` sets `Secure` when the request came over https, also through a trusted proxy. */
  secure: z
    .union([
      flagOption,
      z.literal('auto'),
      functionOption<(request: IncomingMessage) => boolean>('a function of the request'),
    ])
    .default('auto'),
});

/** What `cookie` of the module's options takes. */
export interface CookieOptions extends OptionsOf<typeof cookieOptionGroup> {}

/** {@link CookieOptions} with their defaults. */
export type ResolvedCookieOptions = ResolvedOptionsOf<typeof cookieOptionGroup>;

/**
 * Fills in the defaults, and refuses what browsers drop (RFC 6265bis §4.1.2.7, §4.1.3 and CHIPS).
 *
 * @throws SessionOptionError naming the option, never a secret
 */
export function resolveCookieOptions(options: CookieOptions = {}): ResolvedCookieOptions {
  const naming = { prefix: 'cookie.', secret: ['secrets'] };
  const resolved = resolveOptionGroup(cookieOptionGroup, options, naming);
  const { domain, domainPattern, name, partitioned, path, sameSite, secure } = resolved;
  const isHostBound = /^__host-/i.test(name);
  refuseContradictions({
    'cookie.domain and cookie.domainPattern exclude each other, got both. Leave one out.':
      domain !== undefined && domainPattern !== undefined,
    'cookie.secure must be true or "auto" when cookie.sameSite is "none", got false.':
      sameSite === 'none' && secure === false,
    'cookie.secure must be true or "auto" when cookie.partitioned is true, got false.':
      partitioned && secure === false,
    'cookie.secure must be true when cookie.name starts with "__Host-" or "__Secure-".':
      /^__(?:host|secure)-/i.test(name) && secure !== true,
    'cookie.path must be "/" when cookie.name starts with "__Host-".': isHostBound && path !== '/',
    'cookie.domain and cookie.domainPattern must be left out when cookie.name starts with "__Host-".':
      isHostBound && (domain ?? domainPattern) !== undefined,
  });
  return resolved;
}

/** Longest host name, RFC 1035 §2.3.4. Also bounds the work of the application's own pattern on a hostile `Host` header. */
const MAX_HOST_NAME_LENGTH = 253;

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'i');

/** Whether `text` may stand in the `Domain` attribute: dot-separated labels, no dot or hyphen at the ends. */
function isCookieDomain(text: string): boolean {
  return text.length <= MAX_HOST_NAME_LENGTH && DOMAIN.test(text);
}

/**
 * Makes the function that finds the `Domain` of the cookie for a request, undefined when the pattern does not match.
 *
 * @param pattern - must match the whole host name, in any case; its group 1 is the domain
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
