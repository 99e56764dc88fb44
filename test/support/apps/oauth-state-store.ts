import { randomUUID } from 'node:crypto';
import { rawRequestOf } from '../../../libs/redis-session/src/nest/call-context.js';
import { SessionRequest } from '../../../libs/redis-session/src/http/request/session-request.js';
import { type Session } from '../../../libs/redis-session/src/session/session.js';

interface Pending {
  readonly state: string;
  readonly verifier: string;
}

type Done = (error: Error | null, result?: unknown, extra?: unknown) => void;

const ATTRIBUTE = 'oauth';

/** Keeps the state and the PKCE verifier of a pending login in the visitor's session; each counts once. */
export const oauthStateStore = {
  // passport-oauth2 tells by the number of parameters that the store takes a verifier.
  store(...[request, verifier, , , done]: [object, string, unknown, unknown, Done]): void {
    const pending: Pending = { state: randomUUID(), verifier };
    sessionOf(request)
      .then((session) => session.setAttribute<Pending>(ATTRIBUTE, pending))
      .then(() => done(null, pending.state), done);
  },

  verify(request: object, state: string, done: Done): void {
    sessionOf(request).then((session) => {
      const pending = session.getAttribute<Pending>(ATTRIBUTE);
      session.removeAttribute<string>(ATTRIBUTE);
      const isKnown = pending !== undefined && pending.state === state;
      done(null, isKnown && pending.verifier, isKnown ? undefined : { message: 'unknown state' });
    }, done);
  },
};
Object.defineProperty(oauthStateStore.store, 'length', { value: 5 });

async function sessionOf(request: object): Promise<Session> {
  const session = await SessionRequest.of(rawRequestOf(request))?.getSession();
  if (!session) throw new Error('The route has no session.');
  return session;
}
