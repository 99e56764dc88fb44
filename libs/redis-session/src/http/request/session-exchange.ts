import { type IncomingMessage, type ServerResponse } from 'node:http';
import { keepOutOfSharedCaches } from '../response/cache-control.js';
import { type AuthenticationFailureReason } from '../../security/authentication.js';
import { type MapSession } from '../../session/map-session.js';
import { type FindSessionOptions } from '../../session/session-repository.js';
import { SessionStoreError } from '../../session/session.errors.js';
import { type RequestFailures } from './failures.js';
import { type RequestSetup } from './request-setup.js';
import { cookieSettingsOf, cookieLifetimeOf } from '../session-id/session-cookie.js';

/** What the client sent, and the session that is found by it: read at most once. */
export class RequestedSession {
  /** undefined until {@link load} is done, and when there is none */
  session: MapSession | undefined;
  /** Why somebody else has ended it, once anybody has asked: it is told once. */
  endReason: Promise<AuthenticationFailureReason | undefined> | undefined;
  private isLoaded = false;
  /** Of {@link ids}. */
  private foundId: string | undefined;
  private loading: Promise<void> | undefined;
  private candidateIds: readonly string[] | undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly setup: RequestSetup,
    private readonly failures: RequestFailures,
  ) {}

  /** Best first; only ids that could be ours, at most sixteen. */
  get ids(): readonly string[] {
    this.candidateIds ??= candidateIdsOf(this.request, this.setup);
    return this.candidateIds;
  }

  /** Whether there is no session (any more) of an id that could be ours. */
  get isInvalid(): boolean {
    return this.isLoaded && !this.failures.isAnonymous && this.ids.length > 0 && !this.session;
  }

  /** @returns undefined when there is nothing to wait for. @throws SessionStoreError */
  load(): Promise<void> | undefined {
    if (this.isLoaded) return undefined;
    if (!this.loading && (this.ids.length === 0 || this.takeKept())) {
      this.isLoaded = true;
      return undefined;
    }
    this.loading ??= this.find();
    return this.loading;
  }

  /** The sessions of the other ids: a client may send several, such as two cookies of one name. */
  async findOthers(): Promise<readonly MapSession[]> {
    const { repository } = this.setup;
    const others: MapSession[] = [];
    for (const id of this.ids) {
      if (id === this.foundId) continue;
      const other = await this.failures.watchStore(repository.findById(id));
      if (other) others.push(other);
    }
    return others;
  }

  private takeKept(): boolean {
    const { repository, clock } = this.setup;
    const [id = '', ...others] = this.ids;
    if (others.length > 0) return false;
    this.session = repository.findKept?.(id, clock());
    this.foundId = this.session?.id;
    return this.session !== undefined;
  }

  private async find(): Promise<void> {
    const { repository, clock, onStoreUnavailable, logger } = this.setup;
    try {
      const access = { accessTimeMs: clock() };
      this.session = await this.failures.watchStore(findNewest(repository, this.ids, access));
      this.foundId = this.session?.id;
    } catch (error) {
      if (onStoreUnavailable !== 'anonymous' || !(error instanceof SessionStoreError)) throw error;
      this.failures.goOnAnonymously(error);
      logger.warn(`${error.message} The request goes on as an anonymous one.`);
    }
    this.isLoaded = true;
  }
}

/** How many ids of one request are looked up: a client may send any number. One command of Redis reads so many. */
const MAX_CANDIDATES = 16;

type Candidates = Pick<RequestSetup, 'sessionIdPattern' | 'sessionIdResolver'>;

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
 * Finds the session of `ids` that was created last, and records the access for it. Others may have been planted by another
 * subdomain, or be left over from a cookie with another path or domain.
 */
export async function findNewest(
  repository: RequestSetup['repository'],
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

/** What the client must be told about the id of its session. */
export class SessionAnnouncement {
  private hasEndedSession = false;
  private isForced = false;

  constructor(
    private readonly request: IncomingMessage,
    private readonly requested: RequestedSession,
    private readonly setup: RequestSetup,
  ) {}

  /** Has the client forget an id that is of no use any more. */
  expire(): void {
    this.hasEndedSession = true;
  }

  /** Has the client told the id of its session, although it may know it: how long it is to keep it may be new. */
  force(): void {
    this.isForced = true;
  }

  /** @param session - of the request, undefined when it has none (any more) */
  isDue(session: MapSession | undefined): boolean {
    return this.mustAnnounce(session) || this.mustExpire(session);
  }

  /** Adds to the headers of `response`. @param session - as for {@link isDue} */
  write(response: ServerResponse, session: MapSession | undefined): void {
    const { sessionIdResolver, cacheControl } = this.setup;
    keepOutOfSharedCaches(response, cacheControl);
    if (session && this.mustAnnounce(session)) {
      sessionIdResolver.setSessionId(this.request, response, {
        sessionId: session.id,
        maxAgeSeconds: cookieLifetimeOf(session),
        cookie: cookieSettingsOf(session),
      });
    } else if (this.mustExpire(session)) {
      sessionIdResolver.expireSession(this.request, response);
    }
  }

  /** An id that is not stored, because nobody wrote to the session or the save failed, is never told. */
  private mustAnnounce(session: MapSession | undefined): boolean {
    if (!session || session.isNew || session.hasChangedId) return false;
    return (
      this.isForced ||
      session.id !== this.requested.ids[0] ||
      this.setup.sessionIdResolver.mustRenewSessionId?.(this.request) === true
    );
  }

  private mustExpire(session: MapSession | undefined): boolean {
    return this.hasEndedSession && (!session || session.isNew);
  }
}
