import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { SessionOptionError } from '../session/session.errors.js';
import { isCookieDomain } from './cookie-domain.js';

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
