import { type CipherKey, randomBytes } from 'node:crypto';
import { type IncomingMessage } from 'node:http';
import { SessionOptionError } from '../../session/session.errors.js';
import { type SessionLogger } from '../../lib/logger.js';
import { type ConnectCookieOptions } from './connect-cookie.js';
import { type ConnectStore } from './connect-store.js';

/** A function of the request, which may be typed as Express' or any other. */
type Asked<T> = { bivarianceHack(request: IncomingMessage): T }['bivarianceHack'];

/** The options of express-session. Defaults as there, but for `resave` and `saveUninitialized`. */
export interface ConnectSessionOptions {
  readonly cookie?: ConnectCookieOptions | Asked<ConnectCookieOptions> | undefined;
  readonly genid?: Asked<string> | undefined;
  /** Where it is said at start which options mean something else. @defaultValue console */
  readonly logger?: SessionLogger | undefined;
  /** @defaultValue 'connect.sid' */
  readonly name?: string | undefined;
  /** true believes X-Forwarded-Proto, false only the connection; undefined asks Express. */
  readonly proxy?: boolean | undefined;
  /** @defaultValue false, which is true in express-session */
  readonly resave?: boolean | undefined;
  /** @defaultValue false */
  readonly rolling?: boolean | undefined;
  /** @defaultValue false, which is true in express-session */
  readonly saveUninitialized?: boolean | undefined;
  /** The first signs, all verify. */
  readonly secret: CipherKey | readonly CipherKey[];
  /** Any store for express-session. */
  readonly store: ConnectStore;
  /** @defaultValue 'keep' */
  readonly unset?: 'keep' | 'destroy' | undefined;
}

/** The options with their defaults. */
export interface ResolvedConnectOptions {
  readonly cookieOf: (request: IncomingMessage) => ConnectCookieOptions;
  readonly generateId: (request: IncomingMessage) => string;
  readonly logger: SessionLogger;
  readonly name: string;
  readonly proxy: boolean | undefined;
  readonly resave: boolean;
  readonly rolling: boolean;
  readonly saveUninitialized: boolean;
  readonly secrets: readonly CipherKey[];
  readonly store: ConnectStore;
  readonly unset: 'keep' | 'destroy';
}

const KNOWN = [
  ...['cookie', 'genid', 'logger', 'name', 'proxy', 'resave', 'rolling', 'saveUninitialized'],
  ...['secret', 'store', 'unset'],
];

/**
 * Fills in the defaults, and says which of them are not those of express-session.
 *
 * @throws SessionOptionError for a missing secret or store, an unknown `unset`, and an option that does not exist
 */
export function resolveConnectOptions(options: ConnectSessionOptions): ResolvedConnectOptions {
  refuseWrong(options);
  const { cookie = {}, logger = console, resave, saveUninitialized } = options;
  for (const [name, value] of Object.entries({ resave, saveUninitialized })) {
    if (value === undefined)
      logger.warn(`${name} is false unless it is given; in express-session it is true.`);
  }
  return {
    cookieOf: typeof cookie === 'function' ? cookie : () => cookie,
    generateId: options.genid ?? (() => randomBytes(24).toString('base64url')),
    logger,
    name: options.name ?? 'connect.sid',
    proxy: options.proxy,
    resave: resave ?? false,
    rolling: options.rolling ?? false,
    saveUninitialized: saveUninitialized ?? false,
    secrets: [options.secret].flat(),
    store: options.store,
    unset: options.unset ?? 'keep',
  };
}

function refuseWrong(options: ConnectSessionOptions): void {
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined)
    throw new SessionOptionError(
      `${unknown} must be left out: there is no such option. Use ${KNOWN.join(', ')}.`,
    );
  const secrets = [options.secret as unknown].flat();
  if (secrets.length === 0 || secrets.some((secret) => secret === undefined || secret === ''))
    throw new SessionOptionError('secret must be a string or a key, or a list of them.');
  if (typeof (options.store as ConnectStore | undefined)?.get !== 'function')
    throw new SessionOptionError('store must be a store for express-session.');
  if (!['keep', 'destroy'].includes(options.unset ?? 'keep'))
    throw new SessionOptionError('unset must be "keep" or "destroy".');
}
