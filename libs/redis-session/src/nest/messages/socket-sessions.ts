import { IncomingMessage } from 'node:http';
import { foreignProperty } from '../../lib/foreign-property.js';
import { candidateIdsOf, findNewest } from '../../http/request/candidate-sessions.js';
import { type SessionRequestContext } from '../../http/request/session-request-context.js';
import { EMPTY_SECURITY_CONTEXT, type SecurityContext } from '../../security/security-context.js';

/** What is known of an open WebSocket beside what its library knows. */
export interface SocketState {
  /** Epoch ms of the last message that counted as an access. */
  accessedAtMs: number;
  /** What names the session; it has the cookies of the moment at which the socket was opened. */
  readonly handshake: IncomingMessage | undefined;
  /** Whether it is known to `OpenSockets`: gateways share sockets. */
  isKnown: boolean;
  /** The session's id since it was changed while the socket was open; undefined = that of the handshake. */
  sessionId: string | undefined;
}

const states = foreignProperty<SocketState>('session of the socket');

/**
 * @param client - of socket.io, or of `ws`
 * @param handshake - what `ws` gives to `handleConnection` beside the client; needed once
 */
export function socketStateOf(client: object, handshake?: unknown): SocketState {
  let state = states.get(client);
  if (!state) {
    const given = handshake instanceof IncomingMessage ? handshake : undefined;
    state = {
      accessedAtMs: -Infinity,
      handshake: given ?? handshakeOf(client),
      isKnown: false,
      sessionId: undefined,
    };
    states.set(client, state);
  }
  return state;
}

function handshakeOf(client: object): IncomingMessage | undefined {
  const holder = client as {
    readonly request?: IncomingMessage;
    readonly upgradeReq?: IncomingMessage;
  };
  return holder.request ?? holder.upgradeReq;
}

/** Finds the sessions of WebSocket clients by the cookies of their handshakes. */
export class WebSocketSessions {
  /** @param keepAliveSeconds - as in `WebSocketOptions` */
  constructor(
    private readonly context: SessionRequestContext,
    private readonly keepAliveSeconds: number,
  ) {}

  /**
   * Reads the session of `client`, for a message that it has sent, which may count as an access.
   *
   * @param client - of socket.io, or of `ws` with the handshake's request as property `upgradeReq` or `request` unless
   * its gateway has `@SecuredMessages()`
   */
  async load(client: object): Promise<SecurityContext> {
    const state = socketStateOf(client);
    const nowMs = this.context.clock();
    const access = this.isAccess(state, nowMs) ? { accessTimeMs: nowMs } : {};
    const session = await findNewest(this.context.repository, this.idsOf(state), access);
    if (!session) return EMPTY_SECURITY_CONTEXT;
    if ('accessTimeMs' in access) state.accessedAtMs = nowMs;
    return this.context.loadSecurityContext(session);
  }

  /** The ids under which the session of a socket may be stored; nothing that does not look like one. */
  idsOf({ handshake, sessionId }: SocketState): readonly string[] {
    if (sessionId !== undefined) return [sessionId];
    return handshake ? candidateIdsOf(handshake, this.context) : [];
  }

  private isAccess({ accessedAtMs }: SocketState, nowMs: number): boolean {
    if (this.keepAliveSeconds < 0) return false;
    return nowMs - accessedAtMs >= this.keepAliveSeconds * 1000;
  }
}
