import { type IncomingMessage } from 'node:http';
import { type RequestSession } from './request-session.js';

/** Gives `request` the properties that express-session gives it: `session`, `sessionID`, `sessionStore`. */
export function attachRequestSession(
  request: IncomingMessage,
  requestSession: RequestSession,
  sessionStore: object,
): void {
  Object.defineProperties(request, {
    session: {
      configurable: true,
      enumerable: true,
      get: () => requestSession.current,
      set: (value: unknown) => {
        requestSession.current = value;
      },
    },
    sessionID: { configurable: true, enumerable: true, get: () => requestSession.sessionId },
    sessionStore: { configurable: true, enumerable: true, value: sessionStore, writable: true },
  });
}
