import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type SessionEvent, type SessionEventHandler } from '../session/session-event.js';
import { SESSION_EVENT_TYPES } from './on-session-event.decorator.js';

type Methods = Record<string, SessionEventHandler>;

/** Finds the methods with `@OnSessionEvent`. */
@Injectable()
export class SessionEventHandlers {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** One function for each method; it does nothing for events of other types. */
  find(): SessionEventHandler[] {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    return wrappers.flatMap((wrapper) => {
      const instance: unknown = wrapper.isDependencyTreeStatic() ? wrapper.instance : undefined;
      if (typeof instance !== 'object' || instance === null) return [];
      const prototype = Object.getPrototypeOf(instance) as object | null;
      if (!prototype) return [];
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const types = this.discovery.getMetadataByDecorator(SESSION_EVENT_TYPES, wrapper, name);
        if (!types) return [];
        return async (event: SessionEvent) => {
          if (types.length === 0 || types.includes(event.type))
            await (instance as Methods)[name]?.(event);
        };
      });
    });
  }
}
