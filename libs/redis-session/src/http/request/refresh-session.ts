import { type SecurityContext } from '../../security/security-context.js';
import { type SessionRequest } from './session-request.js';

/**
 * Reads the session of a request and who its user is from the store once more, whatever is known of them; changes are saved
 * before. A session that is gone is none of the request any more.
 *
 * @throws SessionStoreError
 */
export async function refreshSession(sessionRequest: SessionRequest): Promise<SecurityContext> {
  await sessionRequest.load();
  const session = sessionRequest.currentSession;
  if (!session || session.isNew) return sessionRequest.loadSecurityContext();
  if (session.hasChanges) await sessionRequest.commit();
  if (!(await sessionRequest.reload())) sessionRequest.forgetSession();
  return sessionRequest.reloadSecurityContext();
}
