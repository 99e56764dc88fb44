import type { IncomingMessage, ServerResponse } from 'node:http';
import { SessionOptionError } from '../../session/session.errors.js';
import { type SessionIdAnnouncement, type SessionIdResolver } from './session-id-resolver.js';

/**
 * Asks several resolvers and tells all of them, for example a cookie for browsers and a header for apps.
 *
 * Mirrors `CompositeHttpSessionIdResolver` of Spring Session.
 */
export class CompositeSessionIdResolver implements SessionIdResolver {
  readonly #delegates: readonly SessionIdResolver[];

  /** @throws {@link SessionOptionError} when there is no delegate: no session would ever be found */
  constructor(delegates: readonly SessionIdResolver[]) {
    if (delegates.length === 0) {
      throw new SessionOptionError('delegates must be at least one resolver, got none.');
    }
    this.#delegates = [...delegates];
  }

  /** The distinct ids of all resolvers in their order. */
  resolveSessionIds(request: IncomingMessage): readonly string[] {
    const ids = this.#delegates.flatMap((delegate) => delegate.resolveSessionIds(request));
    return [...new Set(ids)];
  }

  /** Tells the client the id in every way. */
  setSessionId(
    request: IncomingMessage,
    response: ServerResponse,
    announcement: SessionIdAnnouncement,
  ): void {
    for (const delegate of this.#delegates) delegate.setSessionId(request, response, announcement);
  }

  /** Tells the client in every way to forget the id. */
  expireSession(request: IncomingMessage, response: ServerResponse): void {
    for (const delegate of this.#delegates) delegate.expireSession(request, response);
  }

  /** True when one of the resolvers asks for it. */
  mustRenewSessionId(request: IncomingMessage): boolean {
    return this.#delegates.some((delegate) => delegate.mustRenewSessionId?.(request) ?? false);
  }
}
