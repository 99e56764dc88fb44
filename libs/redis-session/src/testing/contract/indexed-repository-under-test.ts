import { type MapSession } from '../../session/map-session.js';
import {
  DEFAULT_REPOSITORY_OPTIONS,
  type SessionRepositoryOptions,
} from '../../session/repository-options.js';
import {
  type SessionEvent,
  type SessionEventRecorder,
  type SessionEventSource,
} from '../../session/session-event.js';
import { type IndexedSessionRepository } from '../../session/session-repository.js';
import { type SessionIndexOptions, principalNameOf } from '../../session/session-store.js';
import { type StoredSessionRepository } from '../../session/stored-session-repository.js';

/** A repository that finds sessions and tells their events. */
export type IndexedStoredRepository = StoredSessionRepository &
  IndexedSessionRepository &
  SessionEventRecorder;

/** What an indexed repository of the contract is told. */
export interface IndexedFactoryOptions extends SessionRepositoryOptions {
  /** What the index and the events are to do. */
  readonly indexed: SessionIndexOptions;
}

/** Makes one replica of the repository that a case of the contract is about: all of them share one store. */
export type IndexedRepositoryFactory = (options: IndexedFactoryOptions) => IndexedStoredRepository;

const DEFAULTS: SessionIndexOptions = {
  eventAttributes: 'all',
  eventDelivery: 'once',
  indexes: { tenant: (session) => session.getAttribute<string>('tenant') },
  maxEvents: 200_000,
  maximumSessions: -1,
  maximumSessionsPolicy: 'expire-oldest',
  principalName: principalNameOf,
  retentionSeconds: 86_400,
};

/** One replica with a clock that stands still, and short names for what most cases do. */
export class IndexedRepositoryUnderTest {
  /** Epoch ms. Starts at the real time, because some stores compare with their own clock. */
  nowMs = Date.now();
  readonly warnings: string[] = [];
  readonly repository: IndexedStoredRepository;

  constructor(
    factory: IndexedRepositoryFactory,
    indexed: Partial<SessionIndexOptions> = {},
    options: Partial<SessionRepositoryOptions> = {},
  ) {
    const warn = (message: string) => void this.warnings.push(message);
    this.repository = factory({
      ...DEFAULT_REPOSITORY_OPTIONS,
      clock: () => this.nowMs,
      logger: { warn, error: warn },
      indexed: { ...DEFAULTS, ...indexed },
      ...options,
    });
  }

  /** A stored session of `name`, undefined = of an anonymous visitor. */
  async open(name?: string, attributes: Record<string, unknown> = { a: 1 }): Promise<MapSession> {
    const session = this.repository.createSession();
    if (name !== undefined) signIn(session, name);
    for (const [key, value] of Object.entries(attributes)) session.setAttribute(key, value);
    await session.save();
    return session;
  }

  async find(id: string): Promise<MapSession> {
    const session = await this.repository.findById(id);
    if (!session) throw new Error('The session is not there.');
    return session;
  }

  async idsOf(name: string): Promise<string[]> {
    const { sessions } = await this.repository.findByPrincipalName(name);
    return sessions.map(({ id }) => id).sort();
  }

  pass(seconds: number): void {
    this.nowMs += seconds * 1000;
  }

  /** A replica that handles events; `handle` may reject. */
  listen(
    delivery: 'once' | 'broadcast',
    replicaName: string,
    handle: (event: SessionEvent) => void | Promise<void>,
  ): SessionEventSource {
    return this.repository.createEventSource({ delivery, handler: handle, replicaName });
  }
}

/** What the attribute holds after a login. */
export function contextOf(name: string): unknown {
  return { authentication: { name, principal: name, authorities: [], kind: 'full' } };
}

/** Signs `name` in as a login does, without saving. */
export function signIn(session: MapSession, name: string): void {
  if (!session.isNew) session.changeSessionId();
  session.setAttribute('SECURITY_CONTEXT', contextOf(name));
}
