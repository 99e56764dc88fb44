import { type ClientRequest, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { type SessionRequestContext } from '../http/request/session-request-context.js';
import { SESSION_REQUEST_CONTEXT } from '../nest/redis-session.tokens.js';
import { type Session } from '../session/session.js';
import { moduleBehind } from './server-sessions.js';

/** What is used of a response of supertest. */
export interface TestResponse {
  readonly headers: Record<string, string | string[] | undefined>;
}

interface SentResponse extends TestResponse {
  readonly req: ClientRequest;
  readonly request: { readonly app?: unknown };
}

/**
 * What is stored for the client that got `response`: the session that the response announces, else the one that the request
 * was sent with. Reading it is no access.
 *
 * @param response - of `supertest(app.getHttpServer())` or of an agent of it
 * @returns undefined when nothing is stored
 */
export async function sessionOf(response: TestResponse): Promise<Session | undefined> {
  const { req, request, headers } = response as SentResponse;
  const module = moduleBehind(request.app);
  const { repository, sessionIdPattern, sessionIdResolver } = module.get<SessionRequestContext>(
    SESSION_REQUEST_CONTEXT,
    { strict: false },
  );
  const reply = new IncomingMessage(new Socket());
  const announced = [headers['set-cookie'] ?? []].flat().map((line) => line.split(';')[0]);
  const cookie = [...announced, req.getHeader('cookie') ?? []].flat().join('; ');
  Object.assign(reply.headers, req.getHeaders(), headers, { cookie });
  for (const id of sessionIdResolver.resolveSessionIds(reply)) {
    const session = id.search(sessionIdPattern) === -1 ? undefined : await repository.findById(id);
    if (session) return session;
  }
  return undefined;
}
