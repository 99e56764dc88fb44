import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import {
  type SessionEvent,
  type SessionEventHandler,
  type SessionEventType,
} from '../../session/session-event.js';
import { SessionOptionError } from '../../session/session.errors.js';

type Types = readonly SessionEventType[];
type Methods = Record<string, SessionEventHandler>;
type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Finds the methods with `@OnSessionEvent`. */
@Injectable()
export class SessionEventHandlers {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  /**
   * One function for each method of each instance, under however many tokens it is provided; it does nothing for events of
   * other types.
   *
   * @throws SessionOptionError for a method of a class that has no instance of its own outside of a request
   */
  find(): SessionEventHandler[] {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    const instances = new Set<object>();
    for (const wrapper of wrappers) {
      if (isSingleton(wrapper)) {
        const instance: unknown = wrapper.instance;
        if (typeof instance === 'object' && instance !== null) instances.add(instance);
      } else this.refuseHandlersOf(wrapper);
    }
    return [...instances].flatMap((instance) => this.handlersOf(instance));
  }

  private handlersOf(instance: object): SessionEventHandler[] {
    return this.methodsOf(Object.getPrototypeOf(instance)).map(({ name, types }) => {
      return async (event: SessionEvent) => {
        if (types.length === 0 || types.includes(event.type))
          await (instance as Methods)[name]?.(event);
      };
    });
  }

  private refuseHandlersOf({ metatype }: Wrapper): void {
    const [method] = this.methodsOf(metatype?.prototype);
    if (!method) return;
    throw new SessionOptionError(
      `Cannot call ${metatype?.name}.${method.name} with session events: its class is made anew for each request or consumer. Move @OnSessionEvent to a provider with the default scope.`,
    );
  }

  private methodsOf(prototype: unknown) {
    if (typeof prototype !== 'object' || prototype === null) return [];
    return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
      const method = (prototype as Methods)[name];
      const types =
        method && this.reflector.get<Types | undefined>(SESSION_EVENT_TYPES.KEY, method);
      return types ? [{ name, types }] : [];
    });
  }
}

function isSingleton(wrapper: Wrapper): boolean {
  return wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
}

/** Metadata of a method: the types of events that it handles; none = all. */
export const SESSION_EVENT_TYPES = DiscoveryService.createDecorator<readonly SessionEventType[]>();

/**
 * Has a method of a provider or controller handle what happens to sessions. It is given a `SessionEvent`; when it rejects,
 * an event of delivery `'once'` is delivered again. Needs `indexed.eventDelivery`.
 *
 * ```ts
 * @OnSessionEvent('expired', 'deleted')
 * releaseCart({ principalName, attributes }: SessionEvent) { … }
 * ```
 *
 * @param types - none = all
 */
export const OnSessionEvent = (...types: SessionEventType[]): MethodDecorator =>
  SESSION_EVENT_TYPES(types);
