import { type IncomingMessage } from 'node:http';
import { type MapSession } from '../../session/map-session.js';
import { type FindSessionOptions } from '../../session/session-repository.js';
import { type SessionRequestContext } from './session-request-context.js';

/** How many ids of one request are looked up: a client may send any number. One command of Redis reads so many. */
const MAX_CANDIDATES = 16;

type Candidates = Pick<SessionRequestContext, 'sessionIdPattern' | 'sessionIdResolver'>;

/** The distinct ids in `request` that could be ours, best first, at most sixteen. */
export function candidateIdsOf(
  request: IncomingMessage,
  { sessionIdPattern, sessionIdResolver }: Candidates,
): readonly string[] {
  const ids = sessionIdResolver
    .resolveSessionIds(request)
    .filter((id) => id.search(sessionIdPattern) !== -1);
  return ids.length < 2 ? ids : [...new Set(ids)].slice(0, MAX_CANDIDATES);
}

/**
 * Finds the session of `ids` that was created last. Others may have been planted by another subdomain, or be left over from
 * a cookie with another path or domain. The access is recorded for the one that is found.
 *
 * @throws SessionStoreError
 */
export async function findNewest(
  repository: SessionRequestContext['repository'],
  ids: readonly string[],
  access?: FindSessionOptions,
): Promise<MapSession | undefined> {
  const [only, ...others] = ids;
  if (only === undefined) return undefined;
  if (others.length === 0) return repository.findById(only, access);
  const sessions = await Promise.all(ids.map((id) => repository.findById(id)));
  const [newest] = sessions
    .filter((session) => session !== undefined)
    .sort((one, other) => other.creationTime.getTime() - one.creationTime.getTime());
  return newest && repository.findById(newest.id, access);
}
