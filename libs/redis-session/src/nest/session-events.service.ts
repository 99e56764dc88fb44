import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { type Observable, Subject } from 'rxjs';
import { BroadcastEventSource } from '../redis/broadcast-event-source.js';
import { OnceEventSource } from '../redis/once-event-source.js';
import { RedisIndexedSessionRepository } from '../redis/redis-indexed-session-repository.js';
import { type SessionEventSource } from '../redis/session-event-source.js';
import { SessionRepository } from '../session/session-repository.js';
import { type SessionEvent } from '../session/session-event.js';
import { SessionOptionError } from '../session/session.errors.js';
import { type ResolvedOptions } from './redis-session.options.js';
import { RESOLVED_OPTIONS } from './redis-session.tokens.js';
import { SessionEventHandlers } from './session-event-handlers.js';

/** Long enough for a handler, short enough for a replica that died. */
const HAND_ON_AFTER_MS = 60_000;

/**
 * Tells what happens to sessions, and runs the worker that finds their ends, while the application runs. Events come as
 * the option `indexed.eventDelivery` says: to one replica or to all.
 */
@Injectable()
export class SessionEvents implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly subject = new Subject<SessionEvent>();
  private source: SessionEventSource | undefined;

  /** Hot. An event counts as handled when the methods with `@OnSessionEvent` are done: subscribers are not waited for. */
  readonly events$: Observable<SessionEvent> = this.subject.asObservable();

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(SessionRepository) private readonly repository: object,
    private readonly handlers: SessionEventHandlers,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const handlers = this.handlers.find();
    const { indexed } = this.options;
    const delivery = indexed ? indexed.eventDelivery : 'none';
    if (handlers.length > 0 && delivery === 'none') {
      throw new SessionOptionError(
        'indexed.eventDelivery must be "once" or "broadcast" when there is a method with @OnSessionEvent, got "none".',
      );
    }
    if (!indexed || !(this.repository instanceof RedisIndexedSessionRepository)) return;
    const { client, keys, expiration } = this.repository.store;
    const input = {
      ...this.options,
      ...{ client, keys, replicaName: indexed.replicaName },
      handler: async (event: SessionEvent) => {
        this.subject.next(event);
        for (const handle of handlers) await handle(event);
      },
    };
    if (delivery === 'once')
      this.source = new OnceEventSource({
        ...input,
        deletesHandled: true,
        handOnAfterMs: HAND_ON_AFTER_MS,
      });
    if (delivery === 'broadcast') this.source = new BroadcastEventSource(input);
    await this.source?.start();
    if (indexed.runsWorker) await expiration.start();
  }

  /** Before the client is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.repository instanceof RedisIndexedSessionRepository)
      await this.repository.store.expiration.stop();
    await this.source?.stop();
  }
}
