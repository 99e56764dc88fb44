import {
  Injectable,
  type BeforeApplicationShutdown,
  Inject,
  type OnApplicationBootstrap,
  SetMetadata,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
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
type Methods = Readonly<Record<string, SessionEventHandler>>;
type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Metadata of a method: the types of events that it handles; none = all. */
export const SESSION_EVENT_TYPES = 'redis-session:event-types';

/** The methods of a class, also those that it inherits. @param prototype - of a class, or of what Nest keeps in place of one */
export function methodsOf(prototype: unknown) {
  if (typeof prototype !== 'object' || prototype === null) return [];
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const method = (prototype as Record<string, object | undefined>)[name];
    return method ? [{ method, name }] : [];
  });
}

/**
 * One function for each method with `@OnSessionEvent` of each instance, under however many tokens it is provided; it does
 * nothing for events of other types.
 *
 * @throws SessionOptionError for a method of a class that has no instance of its own outside of a request
 */
function findHandlers(discovery: DiscoveryService): SessionEventHandler[] {
  const instances = new Set<object>();
  for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
    const instance: unknown = wrapper.instance;
    if (!isSingleton(wrapper)) refuseHandlersOf(wrapper);
    else if (typeof instance === 'object' && instance !== null) instances.add(instance);
  }
  return [...instances].flatMap(handlersOf);
}

function handlersOf(instance: object): SessionEventHandler[] {
  return handlingMethodsOf(Object.getPrototypeOf(instance)).map(({ name, types }) => {
    return async (event: SessionEvent) => {
      if (types.length === 0 || types.includes(event.type))
        await (instance as Methods)[name]?.(event);
    };
  });
}

function refuseHandlersOf({ metatype }: Wrapper): void {
  const [method] = handlingMethodsOf(metatype?.prototype);
  if (!method) return;
  throw new SessionOptionError(
    `Cannot call ${metatype?.name}.${method.name} with session events: its class is made anew for each request or consumer. Move @OnSessionEvent to a provider with the default scope.`,
  );
}

function handlingMethodsOf(prototype: unknown) {
  return methodsOf(prototype).flatMap(({ method, name }) => {
    const types = Reflect.getMetadata(SESSION_EVENT_TYPES, method) as Types | undefined;
    return types ? [{ name, types }] : [];
  });
}

function isSingleton(wrapper: Wrapper): boolean {
  return wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
}

/**
 * Has a method of a provider or controller handle what happens to sessions: `@OnSessionEvent('expired')`. It is given a
 * `SessionEvent`; when it rejects, an event of delivery `'once'` is delivered again. Needs `indexed.eventDelivery`.
 *
 * @param types - none = all
 */
export const OnSessionEvent = (...types: SessionEventType[]): MethodDecorator =>
  SetMetadata(SESSION_EVENT_TYPES, types);

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
    private readonly discovery: DiscoveryService,
    private readonly sockets: OpenSockets,
  ) {}

  /** Nest calls it. @throws SessionOptionError when there are handlers and no delivery */
  async onApplicationBootstrap(): Promise<void> {
    const handlers = findHandlers(this.discovery);
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
      const own = { handler, deletesHandled: !closeWithSession, replicaName };
      sources.push(recorder.createEventSource({ delivery: eventDelivery, ...own }));
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
