import { type Session } from './session.js';

/** Which part of the sessions is wanted. */
export interface SessionPageRequest {
  /** How many to skip. @defaultValue 0 */
  readonly offset?: number;
  /** How many at most. @defaultValue 100 */
  readonly limit?: number;
}

/** A part of the sessions that were found. */
export interface SessionPage<S extends Session = Session> {
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
  findByPrincipalName(name: string, page?: SessionPageRequest): Promise<SessionPage<S>>;
  findByIndex(name: string, value: string, page?: SessionPageRequest): Promise<SessionPage<S>>;
}
