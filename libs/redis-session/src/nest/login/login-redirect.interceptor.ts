import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import {
  INTERCEPTORS_METADATA,
  REDIRECT_METADATA,
  RENDER_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { type Observable, map } from 'rxjs';
import { type HttpAnswer } from '../../http/answers/http-answer.js';
import { redirectAnswer } from '../../http/answers/redirect.js';
import { locationAfterHandler } from './login-flow.js';
import { MessageContextInterceptor, findSessionRequest } from '../messages/message-context.js';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { hasLoginGuard } from './login.guard.js';

/** What the responses of Express and of Fastify have in common. */
interface PlatformResponse {
  readonly headersSent?: boolean;
  readonly sent?: boolean;
  header(name: string, value: string): unknown;
  status(statusCode: number): unknown;
}

/** Answers a login with the redirect that the login has decided on, in place of the handler's result. */
@Injectable()
export class LoginRedirectInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const sessionRequest = findSessionRequest(context);
    if (!sessionRequest || answersItself(context)) return next.handle();
    const { request } = sessionRequest;
    return next.handle().pipe(
      map((result: unknown) => {
        const location = locationAfterHandler(request);
        const response = context.switchToHttp().getResponse<PlatformResponse>();
        if (location === undefined || response.headersSent || response.sent) return result;
        const answer = redirectAnswer({ request }, location);
        prepare(response, answer);
        return resultInstead(context.getHandler(), result, answer);
      }),
    );
  }
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

/** Of @nestjs/websockets, on a class. */
const GATEWAY_METADATA = 'websockets:is_gateway';
/** Of @nestjs/microservices, on a handler of messages. */
const PATTERN_METADATA = 'microservices:pattern';

const loginRedirect = new LoginRedirectInterceptor();
const messageContext = new MessageContextInterceptor();

/**
 * Binds the interceptors to the handlers that need them: those that log in, and those of messages.
 *
 * A global interceptor, whatever it does, costs each route of Nest on Fastify about half as much again as the route itself
 * (bench/parts.mjs).
 */
export function bindInterceptors(modules: ModulesContainer): void {
  const scanner = new MetadataScanner();
  for (const { controllers, providers } of modules.values()) {
    for (const { metatype } of [...controllers.values(), ...providers.values()]) {
      if (typeof metatype !== 'function' || !isObject(metatype.prototype)) continue;
      if (hasLoginGuard(metatype)) bind(metatype, loginRedirect);
      if (Reflect.hasMetadata(GATEWAY_METADATA, metatype)) bind(metatype, messageContext);
      bindHandlers(scanner, metatype.prototype);
    }
  }
}

function bindHandlers(scanner: MetadataScanner, prototype: object): void {
  for (const name of scanner.getAllMethodNames(prototype)) {
    const handler = (prototype as Record<string, object>)[name];
    if (!handler) continue;
    if (hasLoginGuard(handler)) bind(handler, loginRedirect);
    if (Reflect.hasMetadata(PATTERN_METADATA, handler)) bind(handler, messageContext);
  }
}

/** Once, although several applications of a process may share the class. */
function bind(target: object, interceptor: NestInterceptor): void {
  const bound = (Reflect.getMetadata(INTERCEPTORS_METADATA, target) ?? []) as unknown[];
  if (bound.includes(interceptor)) return;
  Reflect.defineMetadata(INTERCEPTORS_METADATA, [interceptor, ...bound], target);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
