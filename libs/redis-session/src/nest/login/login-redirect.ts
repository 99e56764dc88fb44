import { type ExecutionContext } from '@nestjs/common';
import {
  REDIRECT_METADATA,
  RENDER_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { type HttpAnswer } from '../../http/answers/http-answer.js';
import { redirectAnswer } from '../../http/answers/http-exchange.js';
import { foreignProperty } from '../../lib/foreign-property.js';
import { rawRequestOf } from '../http-platform.js';

/** Where a login leads, by the platform's request: Nest passes nothing else from a guard to an interceptor. */
export const loginRedirects = foreignProperty<string | undefined>('redirect after login');

/** What the responses of Express and of Fastify have in common. */
interface PlatformResponse {
  readonly headersSent?: boolean;
  readonly sent?: boolean;
  header(name: string, value: string): unknown;
  status(statusCode: number): unknown;
}

/** Answers a login with the redirect that it has decided on. @returns what takes the place of the handler's result */
export function redirectAfterLogin(context: ExecutionContext, result: unknown): unknown {
  const http = context.switchToHttp();
  const request = http.getRequest<object>();
  const location = loginRedirects.get(request);
  if (location === undefined) return result;
  const response = http.getResponse<PlatformResponse>();
  if (response.headersSent || response.sent || answersItself(context)) return result;
  const answer = redirectAnswer({ request: rawRequestOf(request) }, location);
  prepare(response, answer);
  return resultInstead(context.getHandler(), result, answer);
}

/** Nest has set the status of the route already, and sets no other one afterwards. */
function prepare(response: PlatformResponse, { statusCode, headers = {} }: HttpAnswer): void {
  response.status(statusCode);
  for (const [name, value] of Object.entries(headers)) response.header(name, value);
}

/** What Nest answers with. A template may need what the handler has made for it, although nobody reads the page. */
function resultInstead(handler: object, result: unknown, answer: HttpAnswer): unknown {
  if (Reflect.hasMetadata(RENDER_METADATA, handler)) return result;
  if (!Reflect.hasMetadata(REDIRECT_METADATA, handler)) return undefined;
  return { statusCode: answer.statusCode, url: answer.headers?.['Location'] };
}

/** Whether the handler takes `@Res()` or `@Next()`: Nest answers nothing then, and the handler may have done so already. */
function answersItself(context: ExecutionContext): boolean {
  const [target, name] = [context.getClass(), context.getHandler().name];
  if (Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, target, name)) return false;
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, target, name) ?? {}) as object;
  // `<type>:<index>`; the type of a custom decorator is a random text, which may begin with a digit.
  const types = Object.keys(parameters).map((key) => key.split(':')[0]);
  return [RouteParamtypes.RESPONSE, RouteParamtypes.NEXT].some((type) => types.includes(`${type}`));
}
