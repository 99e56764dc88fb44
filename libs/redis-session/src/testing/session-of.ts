import { HttpAdapterHost, type ModuleRef } from '@nestjs/core';
import { type ClientRequest, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { type SessionRequestContext } from '../http/request/session-request-context.js';
import { SESSION_REQUEST_CONTEXT } from '../nest/redis-session.module-definition.js';
import { SessionOptionError } from '../session/session.errors.js';
import { type Session } from '../session/session.js';

/** What is used of a response of supertest. */
export interface TestResponse {
  /** Names are in lower case. */
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

/** The applications of this test process whose sessions are in memory. */
const modules = new Set<WeakRef<ModuleRef>>();

/** Remembers an application, so that its sessions are found by the server that supertest was given. */
export function rememberModule(module: ModuleRef): void {
  modules.add(new WeakRef(module));
}

/** @param server - what supertest was made with. @throws SessionOptionError when it is no server of such an application */
export function moduleBehind(server: unknown): ModuleRef {
  for (const reference of modules) {
    const module = reference.deref();
    if (!module) modules.delete(reference);
    else if (serverOf(module) === server) return module;
  }
  throw new SessionOptionError(
    'Cannot find the sessions of the application: supertest must be given its server, and its module must use withMemorySessions() or RedisSessionTestingModule. Use supertest.agent(app.getHttpServer()) after app.init().',
  );
}

function serverOf(module: ModuleRef): unknown {
  const host: Partial<HttpAdapterHost> = module.get(HttpAdapterHost, { strict: false });
  return host.httpAdapter?.getHttpServer() as unknown;
}
