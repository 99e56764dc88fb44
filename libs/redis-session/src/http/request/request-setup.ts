import { type ServerResponse } from 'node:http';
import { type SecurityContext } from '../../security/security-context.js';
import { type MapSession } from '../../session/map-session.js';
import { type SessionLogger } from '../../lib/logger.js';
import { type SessionKeeper } from '../../session/stored-session-repository.js';
import { type SessionIdResolver } from '../session-id/session-id-resolver.js';

/** Seconds without a request after which the session of a visitor who is not logged in ends. */
export interface VisitorTimeouts {
  readonly maxInactiveIntervalSeconds: number;
  /** While it holds nothing but saved requests. */
  readonly savedRequestSeconds: number;
}

/** The settings and services that all requests share. */
export interface RequestSetup {
  /** `Cache-Control` of responses that tell an id; false = it stays as it is. @defaultValue 'no-store' */
  readonly cacheControl?: string | false | undefined;
  readonly clock: () => number;
  readonly logger: SessionLogger;
  /** What happens to a request whose session cannot be read: it fails with 503, or goes on as an anonymous one. */
  readonly onStoreUnavailable: 'error' | 'anonymous';
  /** Returns a promise only if it has to look something up. */
  readonly loadSecurityContext: (session: MapSession) => SecurityContext | Promise<SecurityContext>;
  /** Called with the session of a client when it has been read. */
  readonly onSessionRead?: ((session: MapSession, response: ServerResponse) => void) | undefined;
  readonly repository: SessionKeeper;
  readonly sessionIdPattern: RegExp;
  readonly sessionIdResolver: SessionIdResolver;
  readonly visitorTimeouts?: VisitorTimeouts | undefined;
}
