import { SECURITY_CONTEXT_ATTRIBUTE } from './attributes/attribute-names.js';
import { type SessionRepositoryOptions } from './repository-options.js';
import { type SessionEventDelivery } from './session-event.js';
import { type SessionChange, type StoredSession } from './session-change.js';
import { type SessionKeeper } from './stored-session-repository.js';
import { type SessionView } from './session.js';

/** What an indexed repository is to do, with `repository: 'indexed'`. */
export interface SessionIndexOptions {
  /** Names of the attributes that events carry. */
  readonly eventAttributes: 'all' | readonly string[];
  /** Who handles an event: one replica, every replica, or nobody. */
  readonly eventDelivery: SessionEventDelivery;
  /** More indexes beside that of the user, by name. */
  readonly indexes: Readonly<Record<string, SessionIndexResolver>>;
  /** How many sessions a user may have; -1 = any number. */
  readonly maximumSessions: number | ((session: SessionView) => number);
  /** About how many events are kept at most. */
  readonly maxEvents: number;
  /** What happens at one session too many. */
  readonly maximumSessionsPolicy: 'expire-oldest' | 'reject-login';
  /** Finds the name of the user in a session; undefined for a visitor. */
  readonly principalName: SessionIndexResolver;
  /** Seconds that an expired session waits for a worker to report its end. */
  readonly retentionSeconds: number;
}

/** What a store is told about the sessions that it keeps. */
export interface SessionStoreOptions extends SessionRepositoryOptions {
  /** Milliseconds after which an operation counts as failed. */
  readonly commandTimeoutMs: number;
  /** Milliseconds after which `StoredSessionRepository` gives up an operation. The module sets it. */
  readonly deadlineMs?: number | undefined;
  /** undefined = sessions need not be found by their user */
  readonly indexed: SessionIndexOptions | undefined;
}

/**
 * A place where sessions are kept, for the option `store`.
 *
 * The repository of a store extends `StoredSessionRepository`. With `options.indexed` it also implements
 * `IndexedSessionRepository`, and `SessionEventRecorder` if it can tell events.
 */
export interface SessionStore {
  /** Shown in logs and errors, such as `PostgreSQL`. */
  readonly name: string;

  /** Milliseconds after which {@link start} counts as failed. @defaultValue the option `commandTimeoutMs` */
  readonly startTimeoutMs?: number;

  /** Makes the repository. Called once, before {@link start}. */
  createRepository(options: SessionStoreOptions): SessionKeeper;

  /** Makes a repository for sessions that another program changes, too. Left out by a store that has no such tables. */
  createSharedRepository?(options: SessionStoreOptions, sharing: SessionSharing): SessionKeeper;

  /** Epoch ms on the clock of the store, for applications that set no `clock`. Left out, each replica goes by its own clock. */
  now?(): number;

  /** Checks that the store can be used. A rejection fails the start of the application, and {@link stop} follows. */
  start?(): Promise<void>;

  /** Closes what the store has opened itself. Called once, when no request needs it any more. */
  stop?(): Promise<void>;
}

/** How another program sees the sessions that it shares, such as Spring Session JDBC. */
export interface SessionSharing {
  /** Name of an attribute that the other program sets to the JSON `true` when a newer login has taken the place of the session. */
  readonly replacedMark: string;
  /** Finds the name of the user as the other program does. */
  readonly principalName: SessionIndexResolver;
  /** @returns undefined for a session that the other program has marked as ended */
  fromStored(stored: StoredSession): StoredSession | undefined;
  /** @throws SessionOptionError, SessionEncodingError for what the other program cannot read */
  toStored(change: SessionChange): SessionChange;
  /** What this library calls an attribute of the other program. */
  readonly ownNameOf: (storedName: string) => string;
  /** What the other program calls an attribute. */
  readonly storedNameOf: (name: string) => string;
}

/** @returns the value under which a session is found by an index; undefined = it is not in the index */
export type SessionIndexResolver = (session: SessionView) => string | undefined;

/**
 * The name of the user in the attribute that keeps the security context: `SECURITY_CONTEXT` → `authentication.name`.
 *
 * Counterpart of `PrincipalNameIndexResolver` of Spring Session.
 */
export const principalNameOf: SessionIndexResolver = (session) => {
  const context = session.getAttribute<{ authentication?: { name?: unknown } } | null>(
    SECURITY_CONTEXT_ATTRIBUTE,
  );
  const name = context?.authentication?.name;
  return typeof name === 'string' && name !== '' ? name : undefined;
};
