/** Why a socket is closed that has broken a rule, such as having no session any more: RFC 6455, section 7.4.1. */
const POLICY_VIOLATION = 1008;

/** The event by which a client of socket.io is told why it is disconnected. */
export const SESSION_ENDED_EVENT = 'session-ended';

interface SocketIoClient {
  emit(event: string, data: object): unknown;
  disconnect(closesConnection: boolean): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

interface NativeClient {
  close(code: number, reason: string): unknown;
  once(event: 'close', listener: () => void): unknown;
}

type Client = SocketIoClient | NativeClient;

/**
 * Closes a socket for `reason`: one of `ws` with code 1008, one of socket.io after the event `session-ended` with
 * `{ reason }`.
 */
export function closeSocket(client: object, reason: string): void {
  const socket = client as Client;
  if (isSocketIo(socket)) {
    socket.emit(SESSION_ENDED_EVENT, { reason });
    socket.disconnect(true);
  } else {
    socket.close(POLICY_VIOLATION, reason);
  }
}

/** Calls `listener` when the socket is closed, whoever closes it. */
export function onceClosed(client: object, listener: () => void): void {
  const socket = client as Client;
  if (isSocketIo(socket)) socket.once('disconnect', listener);
  else socket.once('close', listener);
}

function isSocketIo(client: Client): client is SocketIoClient {
  return 'disconnect' in client && typeof client.disconnect === 'function';
}
