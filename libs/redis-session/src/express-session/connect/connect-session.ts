import { SessionOptionError } from '../../session/session.errors.js';
import { foreignProperty } from '../../lib/foreign-property.js';
import { type CipherKey } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { CommittedResponse } from '../../http/response/committed-response.js';
import { verifyConnectId } from '../../http/session-id/cookie-signature.js';
import { decodeCookieValue, findCookieValues } from '../../http/session-id/cookie-serializer.js';
import { ConnectExchange } from './connect-exchange.js';
import { type ConnectRequest } from './connect-session-object.js';
import { type ConnectSessionOptions, resolveConnectOptions } from './connect-session.options.js';

/** A middleware as `app.use` of Nest, Express and connect takes it. */
export type SessionMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * express-session's middleware with its options and its stores, except that the response waits for the store: no byte
 * leaves before, and a save that fails is a 503.
 *
 * The session is one blob, as its stores have it: parallel requests overwrite each other. `RedisSessionModule` does not.
 *
 * @throws SessionOptionError
 */
export function session(options: ConnectSessionOptions): SessionMiddleware {
  const resolved = resolveConnectOptions(options);
  const { store } = resolved;
  const exchanges = foreignProperty<ConnectExchange>('session exchange');
  store.generate = (request: ConnectRequest) => {
    const exchange = exchanges.get(request) ?? new ConnectExchange(request, undefined, resolved);
    exchange.generate();
  };
  let isConnected = true;
  store.on?.('disconnect', () => (isConnected = false));
  store.on?.('connect', () => (isConnected = true));
  return (request, response, next) => {
    const path = resolved.cookieOf(request).path ?? '/';
    if ('session' in request || !isConnected || !pathOf(request).startsWith(path)) {
      next();
      return;
    }
    const secrets = resolved.secretsOf(request);
    if (secrets.length === 0) {
      next(
        new SessionOptionError(
          'secret option required for sessions: pass secret, or set req.secret before.',
        ),
      );
      return;
    }
    const requestedId = requestedIdOf(request, resolved.name, secrets);
    const exchange = new ConnectExchange(request, requestedId, resolved);
    exchanges.set(request, exchange);
    exchange.load().then(() => {
      CommittedResponse.attach(response, exchange);
      next();
    }, next);
  };
}

function requestedIdOf(
  request: IncomingMessage,
  name: string,
  secrets: readonly CipherKey[],
): string | undefined {
  for (const raw of findCookieValues(request.headers.cookie ?? '', name)) {
    const value = decodeCookieValue(raw, 'plain');
    const id = value === undefined ? undefined : verifyConnectId(value, secrets);
    if (id !== undefined) return id;
  }
  return parsedIdOf(request, name, secrets);
}

/** What cookie-parser has made of cookies that are not in the header. */
function parsedIdOf(
  request: IncomingMessage & ParsedCookies,
  name: string,
  secrets: readonly CipherKey[],
): string | undefined {
  const verified = request.signedCookies?.[name];
  if (typeof verified === 'string') return verified;
  const signed = request.cookies?.[name];
  return typeof signed === 'string' ? verifyConnectId(signed, secrets) : undefined;
}

interface ParsedCookies {
  readonly cookies?: Readonly<Record<string, unknown>>;
  readonly signedCookies?: Readonly<Record<string, unknown>>;
}

/** A proxy's request target is a whole URL, RFC 9112 §3.2.2. */
function pathOf(request: IncomingMessage): string {
  const { originalUrl } = request as { originalUrl?: string };
  const url = originalUrl ?? request.url ?? '/';
  const [path] = url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/);
  return path || '/';
}
