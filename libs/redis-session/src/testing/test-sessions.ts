import { HttpAdapterHost, type ModuleRef } from '@nestjs/core';
import { type ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type RequestSetup } from '../http/request/request-setup.js';
import { SessionRequest } from '../http/request/session-request.js';
import { type LoginOptions, LoginService } from '../nest/login/login.service.js';
import { REQUEST_SETUP } from '../nest/redis-session.module-definition.js';
import { SessionFeatures } from '../nest/session-pipeline.js';
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
  const { repository, sessionIdPattern, sessionIdResolver } = module.get<RequestSetup>(
    REQUEST_SETUP,
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
function moduleBehind(server: unknown): ModuleRef {
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

/** What is used of an agent of supertest. */
export interface CookieAgent {
  /** The cookies of the agent. */
  readonly jar: {
    /** Cookies for a request to this address. */
    getCookies(access: object): {
      /** The value of a `Cookie` header. */
      toValueString(): string;
    };
    /** Takes `Set-Cookie` lines of an answer. */
    setCookies(lines: string[], domain: string, path: string): unknown;
  };
  /** Sets a header of every request. */
  set(name: string, value: string): unknown;
}

/** supertest's agents connect to this address, and so their cookies are of it. */
const HOST = '127.0.0.1';

/**
 * Logs a user in without a password and without a request: `agent` then has the cookie of the session.
 *
 * The session is made by the `LoginService` of the application; with `expressSession({ passport: true })`, passport knows the user,
 * too. Earlier attributes of the session stay.
 *
 * @param agent - made with `supertest.agent(app.getHttpServer())`
 * @param user - as a strategy of the application would return it
 */
export async function loginAs(
  agent: CookieAgent,
  user: object,
  options?: LoginOptions,
): Promise<void> {
  const module = moduleBehind((agent as { app?: unknown }).app);
  const request = new IncomingMessage(new Socket());
  const access = { domain: HOST, path: '/', secure: false, script: false };
  request.headers.cookie = agent.jar.getCookies(access).toValueString();
  const response = new ServerResponse(request);
  const setup = module.get<RequestSetup>(REQUEST_SETUP, { strict: false });
  const sessionRequest = new SessionRequest(request, response, setup);
  await sessionRequest.load();
  await module.get(LoginService, { strict: false }).login(request, user, options);
  for (const feature of module.get(SessionFeatures, { strict: false }).connected)
    await feature.keepUser?.(await sessionRequest.getSession(), user);
  await sessionRequest.commit();
  if (sessionRequest.hasHeadersToWrite()) sessionRequest.writeHeaders(response);
  giveHeaders(agent, response);
}

function giveHeaders(agent: CookieAgent, response: ServerResponse): void {
  for (const [name, value] of Object.entries(response.getHeaders())) {
    if (name === 'set-cookie') agent.jar.setCookies([value ?? []].flat().map(String), HOST, '/');
    else agent.set(name, String(value));
  }
}
