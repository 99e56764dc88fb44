import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type SessionRequestContext } from '../http/request/session-request-context.js';
import { SessionRequest } from '../http/request/session-request.js';
import { type LoginOptions, LoginService } from '../nest/login/login.service.js';
import { SESSION_REQUEST_CONTEXT } from '../nest/redis-session.module-definition.js';
import { SessionFeatures } from '../nest/session-features.js';
import { moduleBehind } from './session-of.js';

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
 * Logs a user in without a password and without a request: `agent` has the cookie of his session afterwards.
 *
 * The session is made by the `LoginService` of the application; with `expressSession({ passport: true })`, passport knows the user,
 * too. What the visitor had in his session stays in it.
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
  const context = module.get<SessionRequestContext>(SESSION_REQUEST_CONTEXT, { strict: false });
  const sessionRequest = new SessionRequest(request, response, context);
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
