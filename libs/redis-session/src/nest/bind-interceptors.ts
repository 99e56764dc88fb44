import { type NestInterceptor } from '@nestjs/common';
import { INTERCEPTORS_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { hasLoginGuard } from './login.guard.js';
import { LoginRedirectInterceptor } from './login-redirect.interceptor.js';
import { MessageContextInterceptor } from './message-context.interceptor.js';

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
