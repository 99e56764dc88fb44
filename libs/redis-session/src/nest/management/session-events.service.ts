import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { type Observable, Subject } from 'rxjs';
import { SessionRepository } from '../../session/session-repository.js';
import {
  type SessionEvent,
  type SessionEventHandler,
  type SessionEventRecorder,
  type SessionEventSource,
  recordsEvents,
} from '../../session/session-event.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { type ResolvedIndexedOptions } from '../options/indexed.options.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { RESOLVED_OPTIONS } from '../redis-session.tokens.js';
import { OpenSockets } from '../messages/open-sockets.js';
import { SessionEventHandlers } from './session-event-handlers.js';

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

  async onApplicationBootstrap(): Promise<void> {
    const handlers = this.handlers.find();
    const { indexed } = this.options;
    const delivery = indexed ? indexed.eventDelivery : 'none';
    if (handlers.length > 0 && delivery === 'none' && this.options.store !== 'memory') {
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
