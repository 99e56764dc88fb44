import { type ExecutionContext } from '@nestjs/common';

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
