import { type IncomingMessage } from 'node:http';
import { type CookieEncoding, isCookieDomain } from './cookie-value.js';
import { z } from 'zod';
import { SessionOptionError } from '../../session/session.errors.js';

/** Decides per request whether the cookie gets the `Secure` attribute. */
export type SecureCookiePredicate = (request: IncomingMessage) => boolean;

/** The options of the session cookie with their defaults filled in, see {@link DEFAULT_COOKIE_OPTIONS}. */
export interface ResolvedCookieOptions {
  /** Host name of the `Domain` attribute; undefined = the cookie goes to the host that set it only. Excludes `domainPattern`. */
  readonly domain?: string | undefined;
  /** Matched against the whole host name of the request, in any case; group 1 is the `Domain`, no match = no `Domain`. */
  readonly domainPattern?: RegExp | undefined;
  /** How the value is written; `'base64'` is for sharing the cookie with Spring applications. */
  readonly encoding: CookieEncoding;
  /** Keeps scripts of the page from reading the cookie. */
  readonly httpOnly: boolean;
  /** Appended to the value as `.<jvmRoute>` for a load balancer that routes by it; taken off when read. */
  readonly jvmRoute?: string | undefined;
  /** Seconds that the browser keeps the cookie, 0 to 2147483647; null = until the browser is closed. */
  readonly maxAgeSeconds: number | null;
  /** `__Host-` and `__Secure-` in front are checked as browsers do, RFC 6265bis §4.1.3. */
  readonly name: string;
  /** Keeps the cookie apart per embedding site; needs `secure`. */
  readonly partitioned: boolean;
  /** The absolute path below which the browser sends the cookie. */
  readonly path: string;
  /** `Priority` attribute (Chromium); undefined omits it. */
  readonly priority?: 'low' | 'medium' | 'high' | undefined;
  /** Sends the cookie with every answer, so that `maxAgeSeconds` counts from the last request, not from the login. */
  readonly rolling: boolean;
  /** `null` omits the attribute; `'none'` needs `secure`. */
  readonly sameSite: 'lax' | 'strict' | 'none' | null;
  /** Sign the cookie, 32 characters or more each: the first signs, all verify. Empty = not signed. */
  readonly secrets: readonly string[];
  /** `'auto'` = when the request came over https, also through a trusted proxy. */
  readonly secure: boolean | 'auto' | SecureCookiePredicate;
}

/** What an application may say about the session cookie; what it leaves out is in {@link DEFAULT_COOKIE_OPTIONS}. */
export type CookieOptions = {
  readonly [Name in keyof ResolvedCookieOptions]?: ResolvedCookieOptions[Name] | undefined;
};

/** The session cookie of an application that says nothing about it. */
export const DEFAULT_COOKIE_OPTIONS: ResolvedCookieOptions = {
  encoding: 'plain',
  httpOnly: true,
  maxAgeSeconds: null,
  name: 'SESSION',
  partitioned: false,
  path: '/',
  rolling: false,
  sameSite: 'lax',
  secrets: [],
  secure: 'auto',
};

/**
 * Fills in the defaults and checks every value, and the values against each other.
 *
 * @throws {@link SessionOptionError} when the cookie could not work; the message names the option, never a secret
 */
export function resolveCookieOptions(options: CookieOptions = {}): ResolvedCookieOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return checkCookieOptions({ ...DEFAULT_COOKIE_OPTIONS, ...Object.fromEntries(given) });
}

/** 2^31 - 1: older browsers count in 32 bits. */
export const MAX_COOKIE_AGE_SECONDS = 2_147_483_647;

/** As long as the output of HMAC-SHA256: a shorter secret would be the weakest part, RFC 2104 §3. */
const MIN_SECRET_LENGTH = 32;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PATH = /^\/[\x20-\x3a\x3d-\x7e]*$/;
const ROUTE = /^[\w-]+$/;

const bool = z.boolean().describe('true or false');
const isPredicate = (value: unknown): boolean => typeof value === 'function';

/** The description of each member completes "cookie.<name> must be …". */
const schema = z.strictObject({
  domain: z
    .string()
    .refine(isCookieDomain)
    .optional()
    .describe('a host name without a leading dot, such as "example.com"'),
  domainPattern: z.instanceof(RegExp).optional().describe('a regular expression'),
  encoding: z.enum(['plain', 'base64']).describe('"plain" or "base64"'),
  httpOnly: bool,
  jvmRoute: z.string().regex(ROUTE).optional().describe('made of letters, digits, "_" and "-"'),
  maxAgeSeconds: z
    .int()
    .min(0)
    .max(MAX_COOKIE_AGE_SECONDS)
    .nullable()
    .describe(`null or an integer from 0 to ${MAX_COOKIE_AGE_SECONDS}`),
  name: z.string().regex(TOKEN).describe('a token of RFC 6265, such as "SESSION"'),
  partitioned: bool,
  path: z
    .string()
    .regex(PATH)
    .describe('printable ASCII that starts with "/" and has no ";" and no "<"'),
  priority: z
    .enum(['low', 'medium', 'high'])
    .optional()
    .describe('"low", "medium", "high" or undefined'),
  rolling: bool,
  sameSite: z
    .enum(['lax', 'strict', 'none'])
    .nullable()
    .describe('"lax", "strict", "none" or null'),
  secrets: z
    .array(z.string().min(MIN_SECRET_LENGTH))
    .describe(`a list of strings of at least ${MIN_SECRET_LENGTH} characters each`),
  secure: z
    .union([
      z.boolean(),
      z.literal('auto'),
      z.custom<(request: IncomingMessage) => boolean>(isPredicate),
    ])
    .describe('true, false, "auto" or a function of the request'),
});

type CheckedOptions = z.infer<typeof schema>;

/** What each value allows alone, but browsers drop together; RFC 6265bis §4.1.2.7, §4.1.3 and CHIPS. */
const CONFLICTS: readonly (readonly [string, (options: CheckedOptions) => boolean])[] = [
  [
    'cookie.domain and cookie.domainPattern exclude each other, got both. Leave one out.',
    ({ domain, domainPattern }) => domain !== undefined && domainPattern !== undefined,
  ],
  [
    'cookie.secure must be true or "auto" when cookie.sameSite is "none", got false.',
    ({ sameSite, secure }) => sameSite === 'none' && secure === false,
  ],
  [
    'cookie.secure must be true or "auto" when cookie.partitioned is true, got false.',
    ({ partitioned, secure }) => partitioned && secure === false,
  ],
  [
    'cookie.secure must be true when cookie.name starts with "__Host-" or "__Secure-".',
    ({ name, secure }) => /^__(?:host|secure)-/i.test(name) && secure !== true,
  ],
  [
    'cookie.path must be "/" when cookie.name starts with "__Host-".',
    ({ name, path }) => isHostBound(name) && path !== '/',
  ],
  [
    'cookie.domain and cookie.domainPattern must be left out when cookie.name starts with "__Host-".',
    ({ name, domain, domainPattern }) =>
      isHostBound(name) && (domain ?? domainPattern) !== undefined,
  ],
];

/**
 * Checks options that have their defaults filled in.
 *
 * @throws {@link SessionOptionError} for the first one that is unknown, wrong, or at odds with another
 */
export function checkCookieOptions(options: Readonly<Record<string, unknown>>): CheckedOptions {
  const result = schema.safeParse(options);
  if (!result.success) throw new SessionOptionError(problemOf(result.error.issues[0], options));
  const conflict = CONFLICTS.find(([, applies]) => applies(result.data));
  if (conflict) throw new SessionOptionError(conflict[0]);
  return result.data;
}

function isHostBound(name: string): boolean {
  return name.toLowerCase().startsWith('__host-');
}

function problemOf(
  issue: z.core.$ZodIssue | undefined,
  options: Readonly<Record<string, unknown>>,
): string {
  if (issue?.code === 'unrecognized_keys') {
    const known = Object.keys(schema.shape).join(', ');
    return `cookie.${issue.keys.join(', cookie.')} must be left out: there is no such option. Use ${known}.`;
  }
  const name = String(issue?.path[0]);
  const must = `cookie.${name} must be ${descriptionOf(name)}`;
  return name === 'secrets' ? `${must}.` : `${must}, got ${shown(options[name])}.`;
}

function descriptionOf(name: string): string {
  const members: Readonly<Record<string, z.ZodType>> = schema.shape;
  return members[name]?.description ?? '';
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
