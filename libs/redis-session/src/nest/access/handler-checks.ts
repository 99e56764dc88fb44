import {
  CONTROLLER_WATERMARK,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
} from '@nestjs/common/constants.js';
import { type ModulesContainer } from '@nestjs/core';
import { SessionOptionError } from '../../session/session.errors.js';
import { hasLoginGuard } from '../login/login.guard.js';
import { methodsOf, SESSION_EVENT_TYPES } from '../management/session-events.service.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { SessionRepositoryInterceptor } from '../session-pipeline.js';
import {
  classRules,
  type HandlerClass,
  methodRules,
  ROUTE_RULES,
  routeRulesOf,
} from './authorization.decorators.js';
import { SessionAuthenticationGuard } from './session-authentication.guard.js';

/** Of @nestjs/websockets, on a class. */
const GATEWAY = 'websockets:is_gateway';
/** Of @nestjs/websockets, on a handler. */
const MESSAGE_MAPPING = 'websockets:message_mapping';
/** Of @nestjs/microservices, on a handler. */
const PATTERN = 'microservices:pattern';
/** Of @nestjs/graphql, on handlers that are no query, mutation or subscription: for fields, and for Apollo Federation. */
const RESOLVED_FIELD = 'graphql:resolve_property';
const RESOLVED_REFERENCE = 'graphql:resolve_reference';
/** Of @nestjs/graphql, on queries, mutations and subscriptions. */
const OPERATION = 'graphql:resolver_type';
/** It tells the type of an object, and gives nothing of it away. Nest never asks a guard for it. */
const TYPE_RESOLVER = '__resolveType';
/** Of @nestjs/graphql, the token of its options. */
const GRAPHQL_OPTIONS = 'GqlModuleOptions';

const GUARD_FIELDS = "Add fieldResolverEnhancers: ['guards'] to the options of GraphQLModule";
const MOVE_RULES = 'Put the decorators on the route or message handlers that call';
/** Is said of the class. */
const UNUSED_CLASS = `has rules, but no handler: Nest runs no guard before its methods. ${MOVE_RULES} them. A gateway must check its clients itself in handleConnection.`;

/** A method that may be a handler, and its class. */
interface Handler {
  readonly method: object;
  readonly name: string;
  readonly target: HandlerClass;
  /** Of the class, if Nest has made one; it may have a method of its own. */
  readonly instance: unknown;
}

/** Of one GraphQLModule. */
type GraphqlOptions = { readonly fieldResolverEnhancers?: readonly string[] } | undefined;

/** What a handler needs, and does not have. @returns undefined when nothing is missing */
type Check = (handler: Handler) => string | undefined;

/**
 * Refuses handlers whose decorators would silently do nothing.
 *
 * @param hasUnguardedPatterns - whether handlers of microservices run without the guards of the application
 * @throws SessionOptionError naming the class, the handler and what to add
 */
export function checkHandlers(
  modules: ModulesContainer,
  options: ResolvedOptions,
  hasUnguardedPatterns: boolean,
): void {
  const checks: Check[] = [];
  if (!options.interceptor) checks.push(checkLogin);
  if (options.security) {
    const protectsAll = options.security.authorization === 'all';
    checks.push(checkCalled, checkReplaced, messageCheck(protectsAll, hasUnguardedPatterns));
    if (!hasGuardedFields(modules)) checks.push(checkFieldRules);
    if (!hasGuardedFields(modules) && protectsAll) checks.push(openFieldCheck(modules));
  }
  for (const handler of handlersOf(modules)) {
    const problem = checks.map((check) => check(handler)).find((found) => found !== undefined);
    if (problem === undefined) continue;
    const { name } = handler.target as { readonly name: string };
    const place = problem === UNUSED_CLASS ? name : `${name}.${handler.name}`;
    throw new SessionOptionError(`Cannot start: ${place} ${problem}`);
  }
}

function* handlersOf(modules: ModulesContainer): Iterable<Handler> {
  for (const { controllers, providers } of modules.values()) {
    for (const { instance, metatype } of [...controllers.values(), ...providers.values()]) {
      if (typeof metatype !== 'function') continue;
      const target = metatype as HandlerClass;
      for (const method of methodsOf(target.prototype)) yield { instance, target, ...method };
    }
  }
}

/** Guards run for handlers, which some framework has marked by metadata of its own. */
function checkCalled(handler: Handler): string | undefined {
  const { method, name, target } = handler;
  if (isMarked(method) || !isProtected(handler)) return undefined;
  if (methodRules(method, target.prototype as object, name))
    return `has rules, and is no handler: Nest runs no guard before it. ${MOVE_RULES} it.`;
  const isUsed =
    !classRules(target) ||
    Reflect.hasMetadata(CONTROLLER_WATERMARK, target) ||
    methodsOf(target.prototype).some((each) => isMarked(each.method));
  return isUsed ? undefined : UNUSED_CLASS;
}

/** The library calls handlers of session events itself, without a guard. */
function isMarked(method: object): boolean {
  const unguarded: unknown[] = [ROUTE_RULES, SESSION_EVENT_TYPES];
  return Reflect.getMetadataKeys(method).some((key) => !unguarded.includes(key));
}

/** Nest asks the method of the instance for its decorators. */
function checkReplaced({ instance, method, name, target }: Handler): string | undefined {
  if (!Reflect.hasMetadata('path', method)) return undefined;
  const called =
    (instance as Record<string, object | undefined> | null | undefined)?.[name] ?? method;
  const seen = routeRulesOf({ handler: called, target });
  if (routeRulesOf({ handler: method, target }).every((rule) => seen.includes(rule)))
    return undefined;
  return 'has rules that Nest does not see, as the constructor replaces the method. Wrap it in a method decorator that keeps the metadata.';
}

/** `interceptor: false` leaves nobody who redirects after a login. */
function checkLogin(handler: Handler): string | undefined {
  const logsIn = hasLoginGuard(handler.method) || hasLoginGuard(handler.target);
  if (!logsIn || !hasMark(handler, 'path')) return undefined;
  if (isBound(INTERCEPTORS_METADATA, SessionRepositoryInterceptor, handler)) return undefined;
  return 'logs in, and with interceptor: false nothing redirects afterwards. Put @UseInterceptors(SessionRepositoryInterceptor) on it.';
}

/** Nest calls guards for fields only where it is told to: by each GraphQLModule, as each may serve any resolver. */
function hasGuardedFields(modules: ModulesContainer): boolean {
  const found = [...modules.values()].flatMap(({ providers }) => {
    const options = providers.get(GRAPHQL_OPTIONS)?.instance as GraphqlOptions;
    return options ? [options.fieldResolverEnhancers ?? []] : [];
  });
  return found.length > 0 && found.every((enhancers) => enhancers.includes('guards'));
}

function checkFieldRules(handler: Handler): string | undefined {
  const isField = hasMark(handler, RESOLVED_FIELD) || hasMark(handler, RESOLVED_REFERENCE);
  if (!isField || !isProtected(handler)) return undefined;
  return `has rules that Nest does not ask for a field. ${GUARD_FIELDS}.`;
}

/** When everything is protected: fields without rules, which public operations lead to; gateways ask for references directly. */
function openFieldCheck(modules: ModulesContainer): Check {
  const hasPublicOperation = [...handlersOf(modules)].some(
    (handler) =>
      typeof Reflect.getMetadata(OPERATION, handler.method) === 'string' && isOpen(handler),
  );
  return (handler) => {
    const isReachable =
      hasMark(handler, RESOLVED_REFERENCE) ||
      (hasPublicOperation && hasMark(handler, RESOLVED_FIELD));
    if (!isReachable || handler.name === TYPE_RESOLVER || isOpen(handler)) return undefined;
    return `is read without a guard: anybody could ask for it where a query is public. ${GUARD_FIELDS}, or @Public() if anybody may.`;
  };
}

function hasMark({ method }: Handler, mark: string): boolean {
  return Reflect.hasMetadata(mark, method);
}

function isProtected({ method, target }: Handler): boolean {
  return routeRulesOf({ handler: method, target }).some(({ kind }) => kind !== 'public');
}

function isOpen({ method, target }: Handler): boolean {
  const rules = routeRulesOf({ handler: method, target });
  return rules.length > 0 && rules.every(({ kind }) => kind === 'public');
}

/** Nest gives gateways no global guard, and microservices of an application with HTTP none unless they inherit it. */
function messageCheck(protectsAll: boolean, hasUnguardedPatterns: boolean): Check {
  return (handler) => {
    const isOfGateway =
      Reflect.hasMetadata(GATEWAY, handler.target) && hasMark(handler, MESSAGE_MAPPING);
    const isOfMicroservice = hasUnguardedPatterns && hasMark(handler, PATTERN);
    if (!isOfGateway && !isOfMicroservice) return undefined;
    const needsGuard = protectsAll ? !isOpen(handler) : isProtected(handler);
    if (!needsGuard || isBound(GUARDS_METADATA, SessionAuthenticationGuard, handler))
      return undefined;
    return 'handles messages that no guard of the application sees: anybody could send them. Put @SecuredMessages() on its class, or @Public() if anybody may.';
  };
}

function isBound(metadata: string, enhancer: unknown, { method, target }: Handler): boolean {
  return [method, target].some((each) => {
    const bound = Reflect.getMetadata(metadata, each) as unknown;
    return Array.isArray(bound) && bound.includes(enhancer);
  });
}
