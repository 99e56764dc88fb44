import { Inject, Injectable } from '@nestjs/common';
import { IncomingMessage } from 'node:http';
import { candidateIdsOf, findNewest } from '../../http/request/session-exchange.js';
import { type RequestSetup } from '../../http/request/request-setup.js';
import { foreignProperty } from '../../lib/foreign-property.js';
import {
  EMPTY_SECURITY_CONTEXT,
  type SecurityContext,
  sessionSecurityContextRepository,
} from '../../security/security-context.js';
import { type MapSession, viewOf } from '../../session/map-session.js';
import { type SessionEvent } from '../../session/session-event.js';
import { storageIdOf } from '../../session/session-id.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { RESOLVED_OPTIONS, REQUEST_SETUP } from '../redis-session.module-definition.js';

/** What is known of an open WebSocket beside what its library knows. */
interface SocketState {
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
function socketStateOf(client: object, handshake?: unknown): SocketState {
  const known = states.get(client);
  if (known) return known;
  const { request, upgradeReq } = client as Client;
  const state = {
    accessedAtMs: -Infinity,
    handshake: handshake instanceof IncomingMessage ? handshake : (request ?? upgradeReq),
    isKnown: false,
    sessionId: undefined,
  };
  states.set(client, state);
  return state;
}

interface OpenSocket {
  readonly client: object;
  /** Storage id of the session under which it is registered; '' = none. */
  id: string;
  /** Of the session when it was last seen: who has logged in, and when; '' = nobody. */
  login: string;
}

/**
 * The WebSockets of this replica, whose sessions are found by the cookies of their handshakes. With the option
 * `webSockets.closeWithSession` they follow the session when its id changes, and are closed when it ends. A login changes the
 * id, too. Then they are closed: who opened them may be somebody else, who knew the earlier id. Mirrors
 * `WebSocketRegistryListener` of Spring Session.
 */
@Injectable()
export class OpenSockets {
  private readonly bySession = new Map<string, Set<OpenSocket>>();

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(REQUEST_SETUP) private readonly setup: RequestSetup,
  ) {}

  /**
   * Who has sent a message, which may count as an access.
   *
   * @param client - of socket.io, or of `ws` with the handshake's request as property `upgradeReq` or `request` unless
   * its gateway has `@SecuredMessages()`
   * @internal
   */
  async senderOf(client: object): Promise<SecurityContext> {
    const { setup } = this;
    const { keepAliveSeconds } = this.options.webSockets;
    const state = socketStateOf(client);
    const nowMs = setup.clock();
    const isAccess = keepAliveSeconds >= 0 && nowMs - state.accessedAtMs >= keepAliveSeconds * 1000;
    const access = isAccess ? { accessTimeMs: nowMs } : {};
    const session = await findNewest(setup.repository, this.idsOf(state), access);
    if (!session) return EMPTY_SECURITY_CONTEXT;
    if (isAccess) state.accessedAtMs = nowMs;
    return setup.loadSecurityContext(session);
  }

  /** Called for each socket that is opened. @param handshake - given by `ws`; socket.io clients have it themselves. @internal */
  async add(client: object, handshake: unknown): Promise<void> {
    const state = socketStateOf(client, handshake);
    if (state.isKnown || !this.options.webSockets.closeWithSession) return;
    state.isKnown = true;
    const socket: OpenSocket = { client, id: '', login: '' };
    onceClosed(client, () => this.unregister(socket));
    try {
      const id = await this.idOf(state);
      if (id === undefined) return;
      // Before the session is read, so that its end in between is not missed.
      this.register(id, socket);
      const session = await this.setup.repository.findById(id);
      if (session) socket.login = loginOf(session);
      else this.unregister(socket);
    } catch {
      this.options.logger.warn(
        'Cannot read the session of a WebSocket: the store failed. The socket is closed; its client can connect again.',
      );
      closeSocket(client, 'session-unavailable');
    }
  }

  /** What has happened to a session, on whichever replica. @internal */
  async handle(event: SessionEvent): Promise<void> {
    const { previousSessionId, reason, sessionId, type } = event;
    if (type === 'id-changed' && previousSessionId !== undefined)
      await this.follow(previousSessionId, sessionId);
    if (type !== 'deleted' && type !== 'expired') return;
    for (const socket of this.socketsOf(sessionId)) this.close(socket, reason ?? 'session-ended');
  }

  /** The ids under which the session of a socket may be stored; nothing that does not look like one. */
  private idsOf({ handshake, sessionId }: SocketState): readonly string[] {
    if (sessionId !== undefined) return [sessionId];
    return handshake ? candidateIdsOf(handshake, this.setup) : [];
  }

  private async idOf(state: SocketState): Promise<string | undefined> {
    const ids = this.idsOf(state);
    if (ids.length < 2) return ids[0];
    return (await findNewest(this.setup.repository, ids))?.id;
  }

  private async follow(previousId: string, id: string): Promise<void> {
    const sockets = [...this.socketsOf(previousId)];
    if (sockets.length === 0) return;
    for (const socket of sockets) {
      this.unregister(socket);
      this.register(id, socket);
    }
    // None: it has ended, or has yet another id, and the event of that comes next.
    const session = await this.setup.repository.findById(id);
    if (!session) return;
    for (const socket of sockets) {
      if (socket.login === loginOf(session)) socketStateOf(socket.client).sessionId = id;
      else this.close(socket, 'session-changed');
    }
  }

  private close(socket: OpenSocket, reason: string): void {
    this.unregister(socket);
    closeSocket(socket.client, reason);
  }

  private register(id: string, socket: OpenSocket): void {
    socket.id = storageIdOf(id);
    this.bySession.set(socket.id, this.socketsOf(id).add(socket));
  }

  /** Events may name a session by its storage id, the handshake names it by the id of the cookie. */
  private socketsOf(id: string): Set<OpenSocket> {
    return this.bySession.get(storageIdOf(id)) ?? new Set();
  }

  private unregister(socket: OpenSocket): void {
    const sockets = this.bySession.get(socket.id);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.bySession.delete(socket.id);
  }
}

/** Two logins of the same user differ by their time. */
function loginOf(session: MapSession): string {
  const { authentication } = sessionSecurityContextRepository.loadContext(viewOf(session));
  return authentication ? `${authentication.authenticatedAt} ${authentication.name}` : '';
}

/** RFC 6455, section 7.4.1. */
const POLICY_VIOLATION = 1008;

interface Client {
  readonly request?: IncomingMessage;
  readonly upgradeReq?: IncomingMessage;
  close(code: number, reason: string): unknown;
  /** Only of socket.io. */
  disconnect?(closesConnection: boolean): unknown;
  emit(event: string, data: object): unknown;
  once(event: 'close' | 'disconnect', listener: () => void): unknown;
}

/**
 * Closes a socket for `reason`: one of `ws` with code 1008, one of socket.io after the event `session-ended` with
 * `{ reason }`.
 */
function closeSocket(client: object, reason: string): void {
  const socket = client as Client;
  if (socket.disconnect) {
    socket.emit('session-ended', { reason });
    socket.disconnect(true);
  } else {
    socket.close(POLICY_VIOLATION, reason);
  }
}

/** Calls `listener` when the socket is closed, whoever closes it. */
function onceClosed(client: object, listener: () => void): void {
  const socket = client as Client;
  socket.once(socket.disconnect ? 'disconnect' : 'close', listener);
}
