import { randomBytes } from 'node:crypto';
import { type IncomingMessage } from 'node:http';
import { SessionOptionError } from '../../session/session.errors.js';
import { type SessionLogger } from '../../session/session-logger.js';
import { type ConnectCookieOptions } from './connect-cookie.js';
import { type ConnectStore } from './connect-store.js';

/** The options of express-session. Defaults as there, but for `resave` and `saveUninitialized`. */
export interface ConnectSessionOptions {
  readonly cookie?: ConnectCookieOptions | ((request: IncomingMessage) => ConnectCookieOptions);
  readonly genid?: ((request: IncomingMessage) => string) | undefined;
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
  readonly secret: string | readonly string[];
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
  readonly secrets: readonly string[];
  readonly store: ConnectStore;
  readonly unset: 'keep' | 'destroy';
}

/** @throws SessionOptionError for a missing secret or store, and an unknown `unset` */
export function resolveConnectOptions(options: ConnectSessionOptions): ResolvedConnectOptions {
  const { cookie = {}, logger = console, resave, saveUninitialized, unset = 'keep' } = options;
  const secrets = [options.secret].flat().filter((secret) => secret !== '');
  if (secrets.length === 0 || typeof secrets[0] !== 'string')
    throw new SessionOptionError('secret must be a string or a list of strings.');
  if (typeof (options.store as ConnectStore | undefined)?.get !== 'function')
    throw new SessionOptionError('store must be a store for express-session.');
  if (!['keep', 'destroy'].includes(unset))
    throw new SessionOptionError('unset must be "keep" or "destroy".');
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
    secrets,
    store: options.store,
    unset,
  };
}
