import { type IncomingMessage } from 'node:http';
import { type SessionRequestContext } from '../http/session-request-context.js';
import { EMPTY_SECURITY_CONTEXT, type SecurityContext } from '../security/security-context.js';

/** Finds the sessions of WebSocket clients by the cookies of their handshakes. */
export class WebSocketSessions {
  constructor(private readonly context: SessionRequestContext) {}

  /**
   * Reads the session of `client` and records the access, so that messages keep it alive.
   *
   * @param client - of socket.io, or of `ws` with the handshake's request as property `upgradeReq` or `request`
   */
  async load(client: object): Promise<SecurityContext> {
    const request = handshakeOf(client);
    if (!request) return EMPTY_SECURITY_CONTEXT;
    const { clock, loadSecurityContext, repository, sessionIdPattern, sessionIdResolver } =
      this.context;
    for (const id of sessionIdResolver.resolveSessionIds(request)) {
      if (!sessionIdPattern.test(id)) continue;
      const session = await repository.findById(id, { accessTimeMs: clock() });
      if (session) return loadSecurityContext(session);
    }
    return EMPTY_SECURITY_CONTEXT;
  }
}

function handshakeOf(client: object): IncomingMessage | undefined {
  const holder = client as {
    readonly request?: IncomingMessage;
    readonly upgradeReq?: IncomingMessage;
  };
  return holder.request ?? holder.upgradeReq;
}
