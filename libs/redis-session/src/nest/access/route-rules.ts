import { type ExecutionContext } from '@nestjs/common';
import { ROUTE_RULES, type RouteRule } from './authorization.decorators.js';

/** A class as Nest knows it: a controller, a resolver or a gateway. */
export type HandlerClass = abstract new (...args: never[]) => object;

/** Which rules count. */
export interface RouteRulesRequest {
  readonly handler: object;
  readonly target: HandlerClass;
  /** @defaultValue false */
  readonly ignoresClasses?: boolean;
}

/**
 * All rules of a handler. In one class, those of the handler replace those of the class. Rules of a base class, and of a
 * handler that a subclass overrides, hold as well, up to the first `@Public()`. Empty without rules.
 */
export function routeRulesOf({
  handler,
  target,
  ignoresClasses = false,
}: RouteRulesRequest): readonly RouteRule[] {
  const ofHandlers: RouteRule[] = [];
  const all: RouteRule[] = [];
  const chain = classesOf(target);
  const name = nameOf(handler, chain);
  for (const declaring of chain) {
    const method = name === undefined ? handler : ownMethod(declaring, name);
    const ofHandler = method && ownRules(method);
    if (ofHandler) ofHandlers.push(...ofHandler);
    if (ofHandler?.some(isPublic)) return ofHandlers;
    all.push(...(ofHandler ?? ownRules(declaring) ?? []));
    if (all.some(isPublic)) break;
  }
  return ignoresClasses ? ofHandlers : all;
}

/** The class and all that it extends, itself first. */
function classesOf(target: HandlerClass): readonly HandlerClass[] {
  const parent: unknown = Object.getPrototypeOf(target);
  const hasParent = typeof parent === 'function' && parent !== Function.prototype;
  return [target, ...(hasParent ? classesOf(parent as HandlerClass) : [])];
}

function nameOf(handler: object, chain: readonly HandlerClass[]): string | undefined {
  for (const { prototype } of chain) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (value === handler) return name;
    }
  }
  return undefined;
}

function ownMethod({ prototype }: HandlerClass, name: string): object | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
  return typeof value === 'function' ? value : undefined;
}

function ownRules(annotated: object): readonly RouteRule[] | undefined {
  return Reflect.getOwnMetadata(ROUTE_RULES, annotated) as readonly RouteRule[] | undefined;
}

function isPublic({ kind }: RouteRule): boolean {
  return kind === 'public';
}

/**
 * What `compute` makes of a route or message handler, computed once. A handler may be inherited by several classes, each
 * with decorators of its own.
 */
export function oncePerHandler<T>(
  compute: (context: ExecutionContext) => T,
): (context: ExecutionContext) => T {
  const byClass = new WeakMap<object, Map<unknown, T>>();
  return (context) => {
    const [target, handler] = [context.getClass(), context.getHandler()];
    let ofClass = byClass.get(target);
    if (!ofClass) {
      ofClass = new Map<unknown, T>();
      byClass.set(target, ofClass);
    }
    const known = ofClass.get(handler);
    if (known !== undefined || ofClass.has(handler)) return known as T;
    const computed = compute(context);
    ofClass.set(handler, computed);
    return computed;
  };
}
