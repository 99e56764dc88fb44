import { SessionOptionError } from '../../session/session.errors.js';

type Accessor = {
  getter: (this: RawHolder) => unknown;
  setter: (this: RawHolder, value: unknown) => void;
};

interface RawHolder {
  readonly raw: Record<string, unknown>;
}

interface FastifyReplyLike {
  header(name: string, value: unknown): unknown;
  send(body?: unknown): unknown;
}

/** What is used of a Fastify instance. */
export interface DecoratableFastify {
  decorateRequest(name: string, accessor: Accessor): unknown;
  decorateReply(
    name: string,
    method: (this: FastifyReplyLike, ...args: never[]) => unknown,
  ): unknown;
  hasRequestDecorator(name: string): boolean;
  hasReplyDecorator(name: string): boolean;
}

/** Properties that express-session and passport put on a request. */
const SHARED_PROPERTIES = [
  ...['session', 'sessionID', 'sessionStore', 'user', '_sessionManager'],
  ...['login', 'logIn', 'logout', 'logOut', 'isAuthenticated', 'isUnauthenticated'],
];

/**
 * Makes Fastify's request show what middleware has put on the raw request, and its reply take what strategies of passport
 * do to a response of node:http, such as those that redirect.
 *
 * @throws SessionOptionError when another session plugin has been here
 */
export function decorateForRequestSessions(fastify: DecoratableFastify): void {
  if (fastify.hasRequestDecorator('session')) {
    throw new SessionOptionError(
      'requestSession must be false when another plugin gives requests a session, got both. Do not register @fastify/session.',
    );
  }
  for (const name of SHARED_PROPERTIES) {
    if (!fastify.hasRequestDecorator(name)) fastify.decorateRequest(name, rawProperty(name));
  }
  if (!fastify.hasReplyDecorator('setHeader')) {
    fastify.decorateReply('setHeader', function (name: string, value: unknown) {
      this.header(name, value);
      return this;
    });
  }
  if (!fastify.hasReplyDecorator('end')) {
    fastify.decorateReply('end', function (body?: unknown) {
      return this.send(body);
    });
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
