import { type MapSession } from '../../session/map-session.js';
import { type SessionRepositoryOptions } from '../../session/repository-options.js';
import {
  type SessionEvent,
  type SessionEventRecorder,
  type SessionEventSource,
} from '../../session/session-event.js';
import { type IndexedSessionRepository } from '../../session/session-repository.js';
import { type SessionIndexOptions, principalNameOf } from '../../session/session-store.js';
import { type StoredSessionRepository } from '../../session/stored-session-repository.js';
import { RepositoryUnderTest } from './repository-under-test.js';

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

/** A replica, and what most cases do with it. */
export class IndexedRepositoryUnderTest extends RepositoryUnderTest<IndexedStoredRepository> {
  constructor(factory: IndexedRepositoryFactory, indexed: Partial<SessionIndexOptions> = {}) {
    super((options) => factory({ ...options, indexed: { ...DEFAULTS, ...indexed } }));
  }

  /** A stored session of `name`, undefined = of an anonymous visitor. */
  async open(name?: string, attributes: Record<string, unknown> = { a: 1 }): Promise<MapSession> {
    const session = this.repository.createSession();
    if (name !== undefined) signIn(session, name);
    for (const [key, value] of Object.entries(attributes)) session.setAttribute(key, value);
    await session.save();
    return session;
  }

  async idsOf(name: string): Promise<string[]> {
    const { sessions } = await this.repository.findByPrincipalName(name);
    return sessions.map(({ id }) => id).sort();
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
