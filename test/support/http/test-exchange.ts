import type { IncomingHttpHeaders } from 'node:http';
import { type HttpExchange } from '../../../libs/redis-session/src/http/answers/http-exchange.js';
import { type HttpAnswer } from '../../../libs/redis-session/src/http/answers/http-answer.js';
import { SessionRequest } from '../../../libs/redis-session/src/http/request/session-request.js';
import type { SessionIdResolver } from '../../../libs/redis-session/src/http/session-id/session-id-resolver.js';
import type { MapSessionRepository } from '../../../libs/redis-session/src/session/map-session-repository.js';
import { SESSION_ID_PATTERN } from '../../../libs/redis-session/src/session/session-id.js';
import { EMPTY_SECURITY_CONTEXT } from '../../../libs/redis-session/src/security/security-context.js';
import { requestWith, responseTo } from './node-messages.js';

/** Headers with which a browser follows a link. */
export const BROWSER: IncomingHttpHeaders = { accept: 'text/html,*/*;q=0.8' };

/** How a {@link TestExchange} starts. */
export interface TestExchangeInput {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: IncomingHttpHeaders;
  readonly isSecure?: boolean;
  /** Without it the route has no session. */
  readonly repository?: MapSessionRepository;
  /** What the client sends. */
  readonly sessionId?: string | undefined;
}

/** A request on its way through the library, and what it was answered. */
export class TestExchange implements HttpExchange {
  readonly request;
  readonly url: string;
  readonly isSecure: boolean;
  readonly isCommitted = false;
  readonly sessionRequest: SessionRequest | undefined;
  readonly answers: HttpAnswer[] = [];
  readonly addedHeaders: [string, string][] = [];
  /** The session id and the Max-Age that the client is told. */
  readonly announced: { sessionId: string; maxAgeSeconds?: number | null | undefined }[] = [];

  constructor(init: TestExchangeInput = {}) {
    const { method = 'GET', url = '/', headers = {}, isSecure = false, repository } = init;
    this.request = Object.assign(requestWith(headers), { method, url });
    this.url = url;
    this.isSecure = isSecure;
    const response = responseTo(this.request);
    this.sessionRequest =
      repository &&
      new SessionRequest(this.request, response, {
        clock: Date.now,
        logger: console,
        onStoreUnavailable: 'error',
        repository,
        loadSecurityContext: () => EMPTY_SECURITY_CONTEXT,
        sessionIdPattern: SESSION_ID_PATTERN,
        sessionIdResolver: this.resolver(init.sessionId),
      });
  }

  answer(answer: HttpAnswer): void {
    this.answers.push(answer);
  }

  appendHeader(name: string, value: string): void {
    this.addedHeaders.push([name, value]);
  }

  /** The response leaves. @returns the id that the client is told */
  async leave(): Promise<string | undefined> {
    await this.sessionRequest?.commit();
    this.sessionRequest?.writeHeaders(this.sessionRequest.response);
    return this.announced.at(-1)?.sessionId;
  }

  private resolver(sessionId: string | undefined): SessionIdResolver {
    return {
      resolveSessionIds: () => (sessionId === undefined ? [] : [sessionId]),
      setSessionId: (_request, _response, announcement) => this.announced.push(announcement),
      expireSession: () => undefined,
    };
  }
}
