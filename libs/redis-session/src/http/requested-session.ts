import { type IncomingMessage } from 'node:http';
import { type MapSession } from '../session/map-session.js';
import { SessionStoreError } from '../session/session.errors.js';
import { type RequestFailures } from './request-failures.js';
import { type SessionRequestContext } from './session-request-context.js';

/** The session that the client asks for. */
export class RequestedSession {
  private candidates: readonly string[] | undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly context: SessionRequestContext,
    private readonly failures: RequestFailures,
  ) {}

  /** What the client sent, best first; only ids that could be ours. */
  get ids(): readonly string[] {
    const { sessionIdPattern, sessionIdResolver } = this.context;
    // Not `test`: with the flag g it goes on where it ended for another request.
    this.candidates ??= sessionIdResolver
      .resolveSessionIds(this.request)
      .filter((id) => id.search(sessionIdPattern) !== -1);
    return this.candidates;
  }

  /**
   * Reads the first of the sessions that exists.
   *
   * @throws SessionStoreError unless the request may go on as an anonymous one
   * @throws SessionCorruptError with `onCorrupt: 'error'`
   */
  async find(): Promise<MapSession | undefined> {
    const { repository, clock, onStoreUnavailable, logger } = this.context;
    try {
      for (const id of this.ids) {
        const found = repository.findById(id, { accessTimeMs: clock() });
        const session = await this.failures.watchStore(found);
        if (session) return session;
      }
    } catch (error) {
      if (onStoreUnavailable !== 'anonymous' || !(error instanceof SessionStoreError)) throw error;
      this.failures.goOnAnonymously(error);
      logger.warn(`${error.message} The request goes on as an anonymous one.`);
    }
    return undefined;
  }
}
