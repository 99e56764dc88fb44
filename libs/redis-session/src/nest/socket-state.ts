import { IncomingMessage } from 'node:http';

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

const states = new WeakMap<object, SocketState>();

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
