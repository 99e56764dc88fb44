import { type ExecutionContext } from '@nestjs/common';
import {
  type AuthorizationDecision,
  type AuthorizationRule,
} from '../../security/authorization.js';
import { SessionOptionError } from '../../session/session.errors.js';

/** What a rule of a route looks at. */
export type RouteRule = AuthorizationRule<ExecutionContext>;

type RuleDecorator = ClassDecorator & MethodDecorator;

/** Metadata of a handler or a class: `RouteRule[]`, all of which must be granted. See `routeRulesOf`. */
export const ROUTE_RULES = 'redis-session:route-rules';

/** Admits only logged-in users. Others must log in. For a class or a handler. */
export const Authenticated = (): RuleDecorator => rule({ kind: 'authenticated' });

/**
 * Admits only users who have logged in themselves, at most `security.fullAuthenticationSeconds` ago. Others must log in again.
 * For a class or a handler.
 */
export const FullyAuthenticated = (): RuleDecorator => rule({ kind: 'fully-authenticated' });

/**
 * Admits only users who have all of `authorities`. Others get 403. For a class or a handler.
 *
 * @throws SessionOptionError when it names none
 */
export const RequireAuthorities = (...authorities: string[]): RuleDecorator =>
  rule({ kind: 'authorities', mode: 'all', authorities });

/**
 * Admits only users who have one of `authorities`. Others get 403. For a class or a handler.
 *
 * @throws SessionOptionError when it names none
 */
export const RequireAnyAuthority = (...authorities: string[]): RuleDecorator =>
  rule({ kind: 'authorities', mode: 'any', authorities });

/**
 * Admits users for whom `decide` returns true. Visitors must log in, other users get 403. For a class or a handler.
 *
 * @param decide - is given the authentication, undefined for an anonymous visitor, and Nest's context of the call
 */
export const AuthorizeBy = (decide: AuthorizationDecision<ExecutionContext>): RuleDecorator =>
  rule({ kind: 'by', decide });

/** Admits everybody, whatever the class, a base class or `authorization: 'all'` says. For a class or a handler. */
export const Public = (): RuleDecorator => rule({ kind: 'public' });

function rule(added: RouteRule): RuleDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    if (added.kind === 'authorities') refuseWithoutAuthority(added, nameOf(target, key));
    const method = descriptor?.value as object | undefined;
    const rules = [
      added,
      ...((method ? methodRules(method, target, key) : classRules(target)) ?? []),
    ];
    Reflect.defineMetadata(ROUTE_RULES, rules, method ?? target);
    // A decorator above may put another method in its place that has none of this.
    if (key !== undefined) Reflect.defineMetadata(ROUTE_RULES, rules, target, key);
  };
}

function refuseWithoutAuthority(
  { mode, authorities }: Extract<RouteRule, { kind: 'authorities' }>,
  place: string,
): void {
  if (authorities.length > 0 && authorities.every(Boolean)) return;
  const decorator = mode === 'all' ? '@RequireAuthorities()' : '@RequireAnyAuthority()';
  throw new SessionOptionError(
    `Cannot use ${decorator} on ${place}: it names no authority, or an empty one. Name one, or use @Authenticated().`,
  );
}

function nameOf(target: object, key?: string | symbol): string {
  if (typeof target === 'function') return target.name;
  return `${target.constructor.name}.${String(key)}`;
}

/** A class as Nest knows it: a controller, a resolver or a gateway. */
export type HandlerClass = abstract new (...args: never[]) => object;

interface RouteRulesRequest {
  readonly handler: object;
  readonly target: HandlerClass;
  /** @defaultValue false */
  readonly ignoresClasses?: boolean;
}

/**
 * All rules of a handler. In one class, those of the handler replace those of the class. Rules of a base class, and of a
 * handler that a subclass overrides, hold as well, up to the first `@Public()`. One of a handler opens it for classes that
 * inherit it; a class that overrides it without a decorator keeps its own rules. Empty without rules.
 */
export function routeRulesOf({
  handler,
  target,
  ignoresClasses = false,
}: RouteRulesRequest): readonly RouteRule[] {
  const ofHandlers: RouteRule[] = [];
  /** Of the classes that have the handler, not only inherit it. */
  const ofOwners: RouteRule[] = [];
  const all: RouteRule[] = [];
  const chain = classesOf(target);
  const name = handlerNameOf(handler, chain);
  for (const declaring of chain) {
    const method = name === undefined ? handler : ownMethod(declaring, name);
    const ofHandler = method && methodRules(method, declaring.prototype as object, name);
    const rules = ofHandler ?? classRules(declaring) ?? [];
    if (ofHandler) ofHandlers.push(...ofHandler);
    if (method) ofOwners.push(...rules);
    if (ofHandler?.some(isPublic)) return ignoresClasses ? ofHandlers : ofOwners;
    all.push(...rules);
    if (all.some(isPublic)) break;
  }
  return ignoresClasses ? ofHandlers : all;
}

/** The class and all that it extends, itself first. What all functions inherit from has no prototype. */
function classesOf(target: HandlerClass): readonly HandlerClass[] {
  const parent: unknown = Object.getPrototypeOf(target);
  const hasParent = typeof parent === 'function' && Boolean(parent.prototype);
  return [target, ...(hasParent ? classesOf(parent as HandlerClass) : [])];
}

function handlerNameOf(handler: object, chain: readonly HandlerClass[]): string | undefined {
  for (const { prototype } of chain) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (value === handler) return name;
    }
  }
  // Nest calls the method of the instance, which a constructor may have bound, or what a tracer has made of it.
  const { name = '' } = handler as { readonly name?: string };
  const ownName = name.replace(/^bound /, '');
  return chain.some((each) => ownMethod(each, ownName)) ? ownName : undefined;
}

function ownMethod({ prototype }: HandlerClass, name: string): object | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
  return typeof value === 'function' ? value : undefined;
}

type Rules = readonly RouteRule[] | undefined;

/** Without those of a base class. */
export function classRules(target: object): Rules {
  return Reflect.getOwnMetadata(ROUTE_RULES, target) as Rules;
}

/** A wrapper may inherit them from what it wraps, as other metadata. @param owner - the prototype that may have the method */
export function methodRules(method: object, owner: object, name: string | symbol = ''): Rules {
  const rules: unknown =
    Reflect.getMetadata(ROUTE_RULES, method) ?? Reflect.getOwnMetadata(ROUTE_RULES, owner, name);
  return rules as Rules;
}

function isPublic({ kind }: RouteRule): boolean {
  return kind === 'public';
}
