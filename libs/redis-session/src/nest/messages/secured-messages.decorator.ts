import { applyDecorators, Inject, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { ExceptionTranslationFilter } from '../access/exception-translation.filter.js';
import { OpenSockets } from './open-sockets.js';
import { SessionAuthenticationGuard } from '../access/session-authentication.guard.js';
import { SessionRepositoryInterceptor } from '../session-pipeline.js';

const OPEN_SOCKETS = Symbol('OPEN_SOCKETS');

/** What Nest calls for each socket; `ws` gives the request of the handshake, too. */
interface Gateway {
  handleConnection?: (this: Gateway, client: object, ...args: unknown[]) => unknown;
  readonly [OPEN_SOCKETS]?: OpenSockets;
}

/**
 * Makes a WebSocket gateway, or a controller of microservice messages, know its users: `@Authenticated()` and its
 * siblings, `@CurrentUser()` and the `SecurityContextHolder` work there as they do in HTTP routes, to which alone Nest applies
 * global enhancers. On the class of a gateway it also has the sockets known that end with their sessions, see the option
 * `webSockets`.
 */
export const SecuredMessages = (): ClassDecorator & MethodDecorator =>
  applyDecorators(
    UseGuards(SessionAuthenticationGuard),
    UseInterceptors(SessionRepositoryInterceptor),
    UseFilters(ExceptionTranslationFilter),
    watchConnections,
  );

/** Has the gateway's `handleConnection`, or one where there is none, tell of each socket. */
function watchConnections(target: object, method?: string | symbol): void {
  if (method !== undefined || typeof target !== 'function') return;
  const gateway = (target as unknown as { readonly prototype: Gateway }).prototype;
  Inject(OpenSockets)(gateway, OPEN_SOCKETS);
  const ownHandler = gateway.handleConnection;
  gateway.handleConnection = function (client, ...args) {
    void this[OPEN_SOCKETS]?.add(client, args[0]);
    return ownHandler?.call(this, client, ...args);
  };
}
