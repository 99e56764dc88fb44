import {
  Injectable,
  type BeforeApplicationShutdown,
  Inject,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { type Observable, Subject } from 'rxjs';
import {
  type SessionEvent,
  type SessionEventHandler,
  type SessionEventType,
  type SessionEventRecorder,
  type SessionEventSource,
  recordsEvents,
} from '../../session/session-event.js';
import { SessionRepository } from '../../session/session-repository.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { OpenSockets } from '../messages/open-sockets.js';
import {
  type ResolvedIndexedOptions,
  type ResolvedOptions,
} from '../options/redis-session.options.js';
import { RESOLVED_OPTIONS } from '../redis-session.module-definition.js';

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

/**
 * Tells what happens to sessions, and runs the worker that finds their ends, while the application runs. Events come as
 * the option `indexed.eventDelivery` says: to one replica or to all.
 */
@Injectable()
export class SessionEvents implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly subject = new Subject<SessionEvent>();
  private readonly sources: SessionEventSource[] = [];

  /** Hot. An event counts as handled when the methods with `@OnSessionEvent` are done: subscribers are not waited for. */
  readonly events$: Observable<SessionEvent> = this.subject.asObservable();

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(SessionRepository) private readonly repository: object,
    private readonly handlers: SessionEventHandlers,
    private readonly sockets: OpenSockets,
  ) {}

  /**
   * Starts the delivery of events. Nest calls it.
   *
   * @throws SessionOptionError when there are handlers and no delivery
   */
  async onApplicationBootstrap(): Promise<void> {
    const handlers = this.handlers.find();
    const { indexed } = this.options;
    const delivery = indexed ? indexed.eventDelivery : 'none';
    if (handlers.length > 0 && delivery === 'none') {
      throw new SessionOptionError(
        'indexed.eventDelivery must be "once" or "broadcast" when there is a method with @OnSessionEvent, got "none".',
      );
    }
    if (!indexed || !recordsEvents(this.repository)) return;
    this.sources.push(...this.createSources(this.repository, indexed, handlers));
    await Promise.all(this.sources.map((source) => source.start()));
    if (indexed.runsWorker) await this.repository.startExpiring();
  }

  /** Before the client is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    if (recordsEvents(this.repository)) await this.repository.stopExpiring();
    await Promise.all(this.sources.map((source) => source.stop()));
  }

  private createSources(
    recorder: SessionEventRecorder,
    { eventDelivery, replicaName }: ResolvedIndexedOptions,
    handlers: readonly SessionEventHandler[],
  ): SessionEventSource[] {
    const { closeWithSession } = this.options.webSockets;
    const handler = async (event: SessionEvent) => {
      this.subject.next(event);
      // One that fails does not keep the event from the others; it is delivered again to all.
      const results = await Promise.allSettled(handlers.map(async (handle) => handle(event)));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
    };
    const sources: SessionEventSource[] = [];
    if (eventDelivery !== 'none') {
      const deletesHandled = !closeWithSession;
      const delivery = eventDelivery;
      sources.push(recorder.createEventSource({ delivery, deletesHandled, handler, replicaName }));
    }
    // Of its own, so that sockets do not wait for handlers of the application.
    if (closeWithSession) {
      const close = (event: SessionEvent) => this.sockets.handle(event);
      const subscription = { handler: close, isResumed: false, replicaName };
      sources.push(recorder.createEventSource({ delivery: 'broadcast', ...subscription }));
    }
    return sources;
  }
}
