import { type CipherKey, KeyObject, randomBytes } from 'node:crypto';
import { type IncomingMessage } from 'node:http';
import { z } from 'zod';
import { type SessionLogger } from '../../lib/logger.js';
import {
  type OptionsOf,
  flagOption,
  functionOption,
  objectOption,
  resolveOptionGroup,
} from '../../lib/option-group.js';
import { type ConnectCookieOptions } from './connect-cookie.js';
import { type ConnectStore } from './connect-store.js';

/** A function of the request, which may be typed as Express' or any other. */
type Asked<T> = { bivarianceHack(request: IncomingMessage): T }['bivarianceHack'];

const cookieOptions = z.looseObject({
  expires: z.date().nullish(),
  httpOnly: z.boolean().optional(),
  maxAge: z.number().nullish(),
  partitioned: z.boolean().optional(),
  path: z.string().nullish(),
  secure: z.union([z.boolean(), z.literal('auto')]).optional(),
});

const isKey = (value: unknown): value is CipherKey =>
  (typeof value === 'string' && value !== '') ||
  ArrayBuffer.isView(value) ||
  value instanceof ArrayBuffer ||
  value instanceof KeyObject;

const secretOption = z.custom<CipherKey | readonly CipherKey[]>((value) =>
  Array.isArray(value) ? value.length > 0 && value.every(isKey) : isKey(value),
);

/** The options of express-session. The defaults are the same, except for `resave` and `saveUninitialized`. */
export const connectSessionOptionGroup = z.strictObject({
  /** Settings of the cookie, or a function of the request that returns them. `maxAge` is in milliseconds. */
  cookie: z
    .custom<ConnectCookieOptions | Asked<ConnectCookieOptions>>(
      (value) => typeof value === 'function' || cookieOptions.safeParse(value).success,
    )
    .describe(
      'an object of cookie options, with maxAge in milliseconds, or a function of the request',
    )
    .default({}),
  /** Makes session ids. Default: 24 random bytes in base64url. */
  genid: functionOption<Asked<string>>().optional(),
  /** The former name of `name`. */
  key: z.string().min(1).describe('the name of a cookie').optional(),
  /** Gets a warning at start for options that mean something else in express-session. */
  logger: objectOption<SessionLogger>('an object with warn and error').default(() => console),
  /** Name of the cookie. Default: `'connect.sid'`. */
  name: z.string().min(1).describe('the name of a cookie').optional(),
  /** True believes X-Forwarded-Proto, false only the connection. Default: Express decides. */
  proxy: flagOption.optional(),
  /** Saves sessions that have not changed. Default: false, which is true in express-session. */
  resave: flagOption.optional(),
  /** Sends the cookie with every answer. */
  rolling: flagOption.default(false),
  /** Stores sessions that nobody wrote to. Default: false, which is true in express-session. */
  saveUninitialized: flagOption.optional(),
  /** Signs the cookie. The first signs, all verify. Default: `req.secret`, which other middleware must set. */
  secret: secretOption
    .describe(
      'a string or a key, or a list of them (an empty secret option array could sign nothing)',
    )
    .optional(),
  /** Any store for express-session. */
  store: z
    .custom<ConnectStore>(
      (value) => typeof (value as Partial<ConnectStore> | null)?.get === 'function',
    )
    .describe('a store for express-session'),
  /** Whether `delete req.session` leaves the stored session or destroys it. */
  unset: z.enum(['keep', 'destroy']).default('keep'),
});

/** What `session` takes. */
export interface ConnectSessionOptions extends OptionsOf<typeof connectSessionOptionGroup> {}

/** {@link ConnectSessionOptions} with their defaults. */
export type ResolvedConnectOptions = ReturnType<typeof resolveConnectOptions>;

/**
 * Fills in the defaults, and says which of them are not those of express-session.
 *
 * @throws SessionOptionError naming the option that is unknown, wrong or missing
 */
export function resolveConnectOptions(options: ConnectSessionOptions) {
  const resolved = resolveOptionGroup(connectSessionOptionGroup, options, { secret: ['secret'] });
  const { cookie, genid, logger, resave, saveUninitialized, secret } = resolved;
  for (const [name, value] of Object.entries({ resave, saveUninitialized })) {
    if (value === undefined)
      logger.warn(`${name} is false unless it is given; in express-session it is true.`);
  }
  if (secret === undefined)
    logger.warn('secret is missing: requests fail unless other middleware has set req.secret.');
  return {
    ...resolved,
    cookieOf: typeof cookie === 'function' ? cookie : () => cookie,
    generateId: genid ?? (() => randomBytes(24).toString('base64url')),
    name: resolved.name ?? resolved.key ?? 'connect.sid',
    resave: resave ?? false,
    saveUninitialized: saveUninitialized ?? false,
    secretsOf: (request: IncomingMessage): readonly CipherKey[] => {
      const own = secret ?? (request as { readonly secret?: unknown }).secret;
      return [own].flat().filter(isKey);
    },
  };
}
