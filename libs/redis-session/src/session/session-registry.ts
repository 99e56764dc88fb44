import { SESSION_CLIENT_ATTRIBUTE } from './attributes/attribute-names.js';
import { type IndexedSessionRepository, type SessionPageRequest } from './session-repository.js';
import { type MapSession } from './map-session.js';
import { expiryTimeMs } from './session-times.js';
import { digestOf } from './session-id.js';
import { SessionOptionError } from './session.errors.js';

/** Where a login came from. */
export interface SessionClient {
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
}

/** What users and administrators may see of a session. Mirrors `SessionInformation` of Spring Security. */
export interface SessionInformation {
  /** Anyone who has it can use the session, unless `hashIds` is on. Show `ref` on pages instead. */
  readonly sessionId: string;
  /** Names the session and is of no use to log in: 32 hex digits, for pages and links. Changes with the id. */
  readonly ref: string;
  /** When the session began. */
  readonly creationTime: Date;
  /** The last recorded request of the session. */
  readonly lastAccessedTime: Date;
  /** undefined = never */
  readonly expiryTime: Date | undefined;
  /** Of the login. */
  readonly ip: string | undefined;
  /** Of the login. */
  readonly userAgent: string | undefined;
  /** Whether it is the session that asks. */
  readonly isCurrent: boolean;
}

/** A part of a user's sessions. */
export interface SessionInformationPage {
  readonly sessions: readonly SessionInformation[];
  readonly total: number;
}

/** Which part is wanted, and who asks. */
export interface SessionListRequest extends SessionPageRequest {
  /** Id of the session that asks. */
  readonly currentId?: string | undefined;
}

/** Why the sessions end that are ended by the registry. */
export const SIGNED_OUT_REASON = 'signed-out';

/**
 * Lists and ends the sessions of users. Needs `repository: 'indexed'`.
 *
 * Mirrors `SpringSessionBackedSessionRegistry` of Spring Session.
 */
export class SessionRegistry {
  constructor(
    private readonly indexedRepository: IndexedSessionRepository | undefined,
    private readonly absoluteTimeoutSeconds?: number,
  ) {}

  /** The sessions of a user, those that live longest first. */
  async list(
    principalName: string,
    { currentId, ...page }: SessionListRequest = {},
  ): Promise<SessionInformationPage> {
    const { sessions, total } = await this.repositoryFor(principalName).findByPrincipalName(
      principalName,
      page,
    );
    return { sessions: sessions.map((session) => this.toInformation(session, currentId)), total };
  }

  /** Ends one session. Does nothing when there is none. */
  async expire(sessionId: string): Promise<void> {
    await this.repository.endById(sessionId, SIGNED_OUT_REASON);
  }

  /**
   * Ends one session of a user.
   *
   * @param ref - of {@link SessionInformation}
   * @returns whether the user had such a session
   */
  async expireByRef(principalName: string, ref: string): Promise<boolean> {
    const session = await findByRef(this.repositoryFor(principalName), principalName, ref);
    if (session) await this.expire(session.id);
    return session !== undefined;
  }

  /** Ends all sessions of a user but one. @returns how many */
  async expireOthers(principalName: string, currentId: string): Promise<number> {
    return this.repositoryFor(principalName).endByPrincipalName(
      principalName,
      SIGNED_OUT_REASON,
      currentId,
    );
  }

  /** Ends all sessions of a user: after a changed password, or a stolen device. @returns how many */
  async expireAll(principalName: string): Promise<number> {
    return this.repositoryFor(principalName).endByPrincipalName(principalName, SIGNED_OUT_REASON);
  }

  /** @throws TypeError unless the name is a string: a field that the user does not have is easily taken for it */
  private repositoryFor(principalName: string): IndexedSessionRepository {
    const { repository } = this;
    if (typeof principalName === 'string') return repository;
    throw new TypeError(
      `Cannot find the sessions of a user: the name must be a string, got ${typeof principalName}. It is the \`name\` of the authentication.`,
    );
  }

  /** @throws SessionOptionError unless the sessions are indexed */
  private get repository(): IndexedSessionRepository {
    if (this.indexedRepository) return this.indexedRepository;
    throw new SessionOptionError(
      "Cannot find the sessions of a user: only the indexed repository can. Set repository to 'indexed'.",
    );
  }

  private toInformation(session: MapSession, currentId: string | undefined): SessionInformation {
    const { id, creationTime, lastAccessedTime, maxInactiveIntervalSeconds } = session;
    const times = {
      creationTime: creationTime.getTime(),
      lastAccessedTime: lastAccessedTime.getTime(),
      maxInactiveInterval: maxInactiveIntervalSeconds,
    };
    const expiryMs = expiryTimeMs(times, this.absoluteTimeoutSeconds);
    const client = session.peekAttribute(SESSION_CLIENT_ATTRIBUTE) as SessionClient | undefined;
    return {
      sessionId: id,
      ref: refOf(id),
      creationTime,
      lastAccessedTime,
      expiryTime: expiryMs === Infinity ? undefined : new Date(expiryMs),
      ip: client?.ip,
      userAgent: client?.userAgent,
      isCurrent: currentId !== undefined && refOf(id) === refOf(currentId),
    };
  }
}

/** Names a session as {@link SessionInformation} does; the same for an id and its storage id. */
export function refOf(sessionId: string): string {
  return digestOf(sessionId).slice(0, 32);
}

/** Looks through the sessions of a user. @param ref - of {@link SessionInformation} */
export async function findByRef(
  repository: IndexedSessionRepository,
  principalName: string,
  ref: string,
): Promise<MapSession | undefined> {
  const limit = 100;
  for (let offset = 0; ; offset += limit) {
    const page = await repository.findByPrincipalName(principalName, { offset, limit });
    const found = page.sessions.find(({ id }) => refOf(id) === ref);
    if (found || offset + limit >= page.total) return found;
  }
}
