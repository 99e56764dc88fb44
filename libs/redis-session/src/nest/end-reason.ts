import { MAXIMUM_SESSIONS_REASON } from '../redis/indexed-session-writer.js';
import { RedisIndexedSessionRepository } from '../redis/redis-indexed-session-repository.js';
import { type AuthenticationFailureReason } from '../security/authentication-failure-reason.js';

/**
 * Why somebody else has ended one of the sessions `ids`; told once.
 *
 * @returns undefined when nobody has, or `repository` does not know
 */
export async function takeEndReason(
  repository: object,
  ids: readonly string[],
): Promise<AuthenticationFailureReason | undefined> {
  if (!(repository instanceof RedisIndexedSessionRepository)) return undefined;
  for (const id of ids) {
    const reason = await repository.takeEndReason(id);
    if (reason === undefined) continue;
    return reason === MAXIMUM_SESSIONS_REASON ? 'maximum-sessions' : 'signed-out';
  }
  return undefined;
}
