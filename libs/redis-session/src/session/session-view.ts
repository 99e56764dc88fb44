import { SECURITY_CONTEXT_ATTRIBUTE } from './attributes/attribute-names.js';
import { type MapSession } from './map-session.js';

/** A session as an index function sees it: reading changes nothing and counts as no access. */
export interface SessionView {
  readonly creationTime: Date;
  getAttribute<T>(name: string): T | undefined;
}

/** @returns the value under which a session is found by an index; undefined = it is not in the index */
export type SessionIndexResolver = (session: SessionView) => string | undefined;

/** The view of `session`, with its changes that are not saved yet. */
export function viewOf(session: MapSession): SessionView {
  return {
    creationTime: session.creationTime,
    getAttribute: <T>(name: string) => session.peekAttribute(name) as T | undefined,
  };
}

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
