import { SessionOptionError } from '../session/session.errors.js';

type Accessor = {
  getter: (this: RawHolder) => unknown;
  setter: (this: RawHolder, value: unknown) => void;
};

interface RawHolder {
  readonly raw: Record<string, unknown>;
}

/** What is used of a Fastify instance. */
export interface DecoratableRequests {
  decorateRequest(name: string, accessor: Accessor): unknown;
  hasRequestDecorator(name: string): boolean;
}

/** Properties that express-session and passport put on a request. */
const SHARED_PROPERTIES = [
  ...['session', 'sessionID', 'sessionStore', 'user', '_sessionManager'],
  ...['login', 'logIn', 'logout', 'logOut', 'isAuthenticated', 'isUnauthenticated'],
];

/**
 * Makes Fastify's request show what middleware has put on the raw request.
 *
 * @throws SessionOptionError when another session plugin has been here
 */
export function decorateForFacades(fastify: DecoratableRequests): void {
  if (fastify.hasRequestDecorator('session')) {
    throw new SessionOptionError(
      'Cannot use expressSession(): another plugin already gives requests a session. Do not register @fastify/session.',
    );
  }
  for (const name of SHARED_PROPERTIES) {
    if (!fastify.hasRequestDecorator(name)) fastify.decorateRequest(name, rawProperty(name));
  }
}

function rawProperty(name: string): Accessor {
  return {
    getter() {
      return this.raw[name];
    },
    setter(value) {
      this.raw[name] = value;
    },
  };
}
