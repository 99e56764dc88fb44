import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type VisitorTimeouts } from '../http/request/request-setup.js';
import { stopInTime, toStoreError, withDeadline } from '../lib/store-operation.js';
import { RedisSessionStore } from '../redis/redis-session-store.js';
import { MapIndexedSessionRepository } from '../session/indexed/map-indexed-session-repository.js';
import { MapSessionRepository } from '../session/map-session-repository.js';
import { isIndexed } from '../session/session-repository.js';
import { type SessionStore } from '../session/session-store.js';
import { SessionOptionError } from '../session/session.errors.js';
import { type SessionKeeper } from '../session/stored-session-repository.js';
import { type Lifecycle, type ResolvedOptions } from './options/redis-session.options.js';
import { RESOLVED_OPTIONS } from './redis-session.module-definition.js';

/** Keeps the store open until after the last request, together with what works on it. */
@Injectable()
export class OpenSessionStore implements OnApplicationShutdown {
  readonly store: SessionStore;
  readonly repository: SessionKeeper;
  /** The repository, if a feature has made it. */
  private made: Lifecycle | undefined;
  /** Name of that feature. */
  private madeBy = '';
  private isClosed = false;

  constructor(@Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions) {
    this.store = storeOf(options);
    this.repository = this.createRepository();
  }

  /** @throws SessionStoreError, SessionOptionError */
  async start(): Promise<void> {
    await this.startStore();
    await this.made?.start?.();
  }

  /** Redis has deadlines of its own for each step. */
  private async startStore(): Promise<void> {
    const { name, startTimeoutMs = this.options.commandTimeoutMs } = this.store;
    const action = `reach ${name}`;
    const started = Promise.resolve().then(() => this.store.start?.());
    if (this.isGiven) return withDeadline(action, startTimeoutMs, started);
    await started.catch((error: unknown) => {
      throw toStoreError(action, error);
    });
  }

  /** Whether the store comes with the options. */
  private get isGiven(): boolean {
    return typeof this.options.store === 'object';
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    const { madeBy, made, options, store } = this;
    if (made) await stopInTime(`stop ${madeBy}`, made, options);
    await stopInTime(`close ${store.name}`, store, options);
  }

  /** A visitor's session may have an idle time of its own. The login gives it that of a user. */
  private createRepository(): SessionKeeper {
    const { commandTimeoutMs, features, indexed, security, webSockets } = this.options;
    const anonymousSeconds = security && security.anonymousMaxInactiveIntervalSeconds;
    const needsEvents = indexed?.eventDelivery === 'none' && webSockets.closeWithSession;
    const options = {
      ...this.options,
      indexed: needsEvents ? { ...indexed, eventDelivery: 'broadcast' as const } : indexed,
      ...(this.isGiven && { deadlineMs: commandTimeoutMs }),
      maxInactiveIntervalSeconds: anonymousSeconds || this.options.maxInactiveIntervalSeconds,
    };
    const maker = features.find((feature) => 'createRepository' in feature);
    const made = maker?.createRepository?.(this.store, options);
    this.made = made;
    this.madeBy = maker?.name ?? '';
    const repository = made ?? this.store.createRepository(options);
    if (indexed && !isIndexed(repository)) {
      throw new SessionOptionError(
        `repository must be "default" when store is ${this.store.name}, which cannot find sessions by their user, got "indexed".`,
      );
    }
    return repository;
  }
}

function storeOf(options: ResolvedOptions): SessionStore {
  const { redis, store } = options;
  if (typeof store === 'object') return store;
  // `store: 'redis'` without `redis` is refused at start.
  return store === 'memory' || redis === undefined
    ? memoryStore(options)
    : new RedisSessionStore(redis, options);
}

function memoryStore({ logger }: ResolvedOptions): SessionStore {
  return {
    name: 'memory',
    createRepository: ({ indexed, ...options }) =>
      indexed
        ? new MapIndexedSessionRepository({ ...options, indexed })
        : new MapSessionRepository(options),
    start: () => {
      if (process.env['NODE_ENV'] === 'production') {
        logger.error(
          'Sessions are kept in the memory of this process although NODE_ENV is "production": every restart logs everybody out, no other replica knows them, and they take memory without limit. Set store to "redis".',
        );
      }
      return Promise.resolve();
    },
  };
}

/** Times that hold for visitors who are not logged in. */
export function visitorTimeoutsOf({
  maxInactiveIntervalSeconds,
  security,
}: ResolvedOptions): VisitorTimeouts | undefined {
  if (!security) return undefined;
  const { anonymousMaxInactiveIntervalSeconds, savedRequestSeconds } = security;
  return {
    maxInactiveIntervalSeconds: anonymousMaxInactiveIntervalSeconds ?? maxInactiveIntervalSeconds,
    savedRequestSeconds,
  };
}
