import { readable } from '../lib/logger.js';
import { type MapSession } from './map-session.js';
import { type Session } from './session.js';
import { SessionOptionError } from './session.errors.js';

/** How a session is read. */
export interface FindSessionOptions {
  /** Epoch ms of the access that is recorded with the read, in the same round trip; undefined = not recorded. */
  readonly accessTimeMs?: number | undefined;
}

/**
 * Keeps sessions. The repository creates them, so that it can hand out ones that know their changes.
 *
 * Mirrors `SessionRepository` of Spring Session. Also the injection token.
 */
export interface SessionRepository<S extends Session = Session> {
  /** A new session that is not stored until {@link save}. */
  createSession(): S;

  /**
   * Writes what changed and nothing else, in one atomic step.
   *
   * @throws SessionInvalidatedError when it was deleted, has expired or got another id since it was read
   * @throws SessionStoreError when the store fails or is too late
   */
  save(session: S): Promise<void>;

  /** @returns undefined when there is none, or it has expired */
  findById(id: string, options?: FindSessionOptions): Promise<S | undefined>;

  /** Does nothing when there is none. */
  deleteById(id: string): Promise<void>;
}

/** Injects the {@link SessionRepository}: `@Inject(SessionRepository) sessions: SessionRepository`. */
export const SessionRepository = Symbol('SessionRepository');

/** Which part of the sessions is wanted. */
export interface SessionPageRequest {
  /** How many to skip. @defaultValue 0 */
  readonly offset?: number;
  /** How many at most. @defaultValue 100 */
  readonly limit?: number;
}

/** @returns the page with its defaults. @throws SessionOptionError for a limit or offset that counts nothing */
export function resolvePage({
  offset = 0,
  limit = 100,
}: SessionPageRequest = {}): Required<SessionPageRequest> {
  refuseUnlessInteger('limit', limit, 1);
  refuseUnlessInteger('offset', offset, 0);
  return { offset, limit };
}

function refuseUnlessInteger(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new SessionOptionError(
    `${name} must be an integer of at least ${least}, got ${readable(String(value))}.`,
  );
}

/** A part of the sessions that were found. */
export interface SessionPage<S extends Session = Session> {
  /** The sessions of this page. */
  readonly sessions: readonly S[];
  /** How many there are in all; a session that has ended unreported may be counted. */
  readonly total: number;
}

/**
 * A repository that finds sessions by their user or another value.
 *
 * Mirrors `FindByIndexNameSessionRepository` of Spring Session.
 */
export interface FindByIndexSessionRepository<S extends Session = Session> {
  /** Finds the sessions of one user, by the name that the login stored. */
  findByPrincipalName(name: string, page?: SessionPageRequest): Promise<SessionPage<S>>;
  /** Finds the sessions with this value of an index of the option `indexes`. */
  findByIndex(name: string, value: string, page?: SessionPageRequest): Promise<SessionPage<S>>;
}

/**
 * A repository that finds the sessions of a user and ends sessions of others: what `SessionRegistry` and
 * `maximumSessions` need.
 */
export interface IndexedSessionRepository
  extends SessionRepository<MapSession>, FindByIndexSessionRepository<MapSession> {
  /** Ends a session that is not the caller's own. @param reason - told once to its client and to event handlers */
  endById(id: string, reason: string): Promise<void>;

  /** Ends all sessions of one user but `exceptId`. @returns how many it has ended */
  endByPrincipalName(name: string, reason: string, exceptId?: string): Promise<number>;

  /** Ends all other sessions of the user of `session`. @returns how many; 0 for an anonymous session */
  endOthersOf(session: MapSession, reason: string): Promise<number>;

  /** Returns why somebody else has ended the session `id`, once. */
  takeEndReason(id: string): Promise<string | undefined>;
}

/** Whether `repository` finds sessions by their user. */
export function isIndexed(repository: object): repository is IndexedSessionRepository {
  return 'findByPrincipalName' in repository;
}
