import { type IncomingMessage } from 'node:http';
import { type HttpAnswer } from './http-answer.js';
import { type SessionRequest } from '../request/session-request.js';

/**
 * One request and the answer to it, the same on Express and on Fastify. What strategies such as
 * `AuthenticationEntryPoint` work with. Nothing here waits: see {@link SessionRequest.doBeforeCommit}.
 */
export interface HttpExchange {
  /** The raw request of node:http. */
  readonly request: IncomingMessage;
  /** Path and query as the client sent them, whatever a router has stripped. */
  readonly url: string;
  /** Whether the client's connection is TLS, seen through the proxies that the platform trusts. */
  readonly isSecure: boolean;
  /** undefined on a route that is excluded from sessions */
  readonly sessionRequest: SessionRequest | undefined;
  /** Whether the response has begun to leave: nothing can be answered any more. */
  readonly isCommitted: boolean;
  /** Headers that the platform has for this response, such as those of CORS, are sent too. */
  answer(answer: HttpAnswer): void;
  /** Adds a header, such as a further Set-Cookie, to what will be answered. */
  appendHeader(name: string, value: string): void;
}
