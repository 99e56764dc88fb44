import { describe, expect, it } from '@jest/globals';
import { requestWith, responseTo } from '../../../../../test/support/http/node-messages.js';
import { EMPTY_SECURITY_CONTEXT } from '../../security/security-context.js';
import { MapSessionRepository } from '../../session/map-session-repository.js';
import { type MapSession } from '../../session/map-session.js';
import { SESSION_ID_PATTERN } from '../../session/session-id.js';
import {
  SessionEncodingError,
  SessionInvalidatedError,
  SessionResponseCommittedError,
  SessionStoreError,
} from '../../session/session.errors.js';
import { HeaderSessionIdResolver } from '../session-id/session-id-resolver.js';
import { SessionRequest } from './session-request.js';

/** A store that fails as long as it is told to. */
class FailingRepository extends MapSessionRepository {
  isFailing = false;

  override async save(session: MapSession): Promise<void> {
    if (this.isFailing) throw SessionStoreError.create('save the session', new Error('planned'));
    await super.save(session);
  }
}

const HEADER = 'x-auth-token';

function setUp({ id, pattern = SESSION_ID_PATTERN }: { id?: string; pattern?: RegExp } = {}) {
  const shared = { repository: new FailingRepository(), logged: [] as string[] };
  const log = (message: string) => shared.logged.push(message);
  const next = (sessionId: string | undefined = id) => {
    const request = requestWith(sessionId === undefined ? {} : { [HEADER]: sessionId });
    const response = responseTo(request);
    const sessionRequest = new SessionRequest(request, response, {
      clock: Date.now,
      loadSecurityContext: () => EMPTY_SECURITY_CONTEXT,
      logger: { warn: log, error: log },
      onStoreUnavailable: 'error',
      repository: shared.repository,
      sessionIdPattern: pattern,
      sessionIdResolver: new HeaderSessionIdResolver(HEADER),
    });
    const told = () => {
      if (sessionRequest.hasHeadersToWrite()) sessionRequest.writeHeaders(response);
      return response.getHeader(HEADER);
    };
    return { sessionRequest, response, told };
  };
  return { ...shared, next };
}

async function storedSession({ next }: ReturnType<typeof setUp>): Promise<string> {
  const { sessionRequest } = next();
  const session = await sessionRequest.getSession();
  session.setAttribute('theme', 'dark');
  await sessionRequest.commit();
  return session.id;
}

describe('a SessionRequest whose store has failed', () => {
  it('tells the id of a session that the application saved at its second attempt', async () => {
    const { next, repository } = setUp();
    const { sessionRequest, told } = next();
    const session = await sessionRequest.getSession();
    session.setAttribute('theme', 'dark');
    repository.isFailing = true;
    await expect(session.save()).rejects.toThrow(SessionStoreError);
    repository.isFailing = false;
    await session.save();

    expect(sessionRequest.needsCommit()).toBe(false);
    expect(told()).toBe(session.id);
  });

  it('does not ask the store again by itself', async () => {
    const { next, repository } = setUp();
    const { sessionRequest, told } = next();
    const session = await sessionRequest.getSession();
    session.setAttribute('theme', 'dark');
    repository.isFailing = true;
    await expect(session.save()).rejects.toThrow(SessionStoreError);
    repository.isFailing = false;

    await expect(sessionRequest.commit()).rejects.toThrow(SessionStoreError);
    expect(told()).toBeUndefined();
  });

  it.each([
    [200, true],
    [302, true],
    [500, true],
    [503, false],
  ])('replaces an answer of status %i: %s', async (statusCode, isReplaced) => {
    const { next, repository } = setUp();
    const { sessionRequest, response } = next();
    (await sessionRequest.getSession()).setAttribute('theme', 'dark');
    repository.isFailing = true;
    await expect(sessionRequest.commit()).rejects.toThrow(SessionStoreError);
    response.statusCode = statusCode;

    expect(sessionRequest.needsCommit()).toBe(isReplaced);
  });

  it('does not tell an id that was changed but not saved', async () => {
    const test = setUp();
    const id = await storedSession(test);
    const { sessionRequest, told } = test.next(id);
    (await sessionRequest.getSession()).changeSessionId();
    test.repository.isFailing = true;
    await expect(sessionRequest.commit()).rejects.toThrow(SessionStoreError);

    expect(told()).toBeUndefined();
  });
});

describe('a SessionRequest whose session ended elsewhere', () => {
  it('saves and tells the session that follows it', async () => {
    const test = setUp();
    const id = await storedSession(test);
    const { sessionRequest, told } = test.next(id);
    const lost = await sessionRequest.getSession();
    lost.setAttribute('theme', 'light');
    await test.repository.deleteById(id);
    await sessionRequest.commit();
    expect(sessionRequest.needsCommit()).toBe(false);

    await lost.invalidate();
    const following = await sessionRequest.getSession();
    following.setAttribute('theme', 'new');
    await sessionRequest.commit();

    expect((await test.repository.findById(following.id))?.getAttribute('theme')).toBe('new');
    expect(told()).toBe(following.id);
  });

  it('fails when its id was changed, and tells none', async () => {
    const test = setUp();
    const id = await storedSession(test);
    const { sessionRequest, told } = test.next(id);
    (await sessionRequest.getSession()).changeSessionId();
    await test.repository.deleteById(id);

    await expect(sessionRequest.commit()).rejects.toThrow(SessionInvalidatedError);
    expect(sessionRequest.needsCommit()).toBe(false);
    expect(told()).toBeUndefined();
  });
});

describe('a SessionRequest', () => {
  it('refuses to save a new session that the client can no longer be told of', async () => {
    const { next } = setUp();
    const { sessionRequest, response, told } = next();
    const session = await sessionRequest.getSession();
    expect(told()).toBeUndefined();
    response.flushHeaders();

    expect(() => session.setAttribute('theme', 'dark')).toThrow(
      new SessionResponseCommittedError(
        'Cannot create a session: the response was already sent. Use the session before the response is sent.',
      ),
    );
    expect(() => session.update('count', () => 1)).toThrow(SessionResponseCommittedError);
    await sessionRequest.commit();
    await expect(session.save()).rejects.toThrow(SessionResponseCommittedError);
  });

  it('tells the new session, not the end of the old one, when one follows the other', async () => {
    const test = setUp();
    const id = await storedSession(test);
    const { sessionRequest, told } = test.next(id);
    await (await sessionRequest.getSession()).invalidate();
    const following = await sessionRequest.getSession();
    following.setAttribute('theme', 'new');
    await sessionRequest.commit();

    expect(told()).toBe(following.id);
    expect(await test.repository.findById(id)).toBeUndefined();
  });

  it('tells the end of a session that nothing follows', async () => {
    const test = setUp();
    const id = await storedSession(test);
    const { sessionRequest, told } = test.next(id);
    await (await sessionRequest.getSession()).invalidate();
    await sessionRequest.getSession();

    expect(told()).toBe('');
  });

  it('lets nobody start a session in time after an action before the commit has failed', async () => {
    const { next } = setUp();
    const { sessionRequest, response } = next();
    sessionRequest.doBeforeCommit(() => {
      throw new Error('planned');
    });
    await expect(sessionRequest.commit()).rejects.toThrow('planned');
    response.flushHeaders();

    await expect(sessionRequest.getSession()).rejects.toThrow(SessionResponseCommittedError);
  });

  it('tells the id of a saved session although the application had to take back a value', async () => {
    const { next } = setUp();
    const { sessionRequest, told } = next();
    const session = await sessionRequest.getSession();
    session.setAttribute('theme', 'dark');
    await session.save();
    session.setAttribute('count', 1n);
    await expect(sessionRequest.commit()).rejects.toThrow(SessionEncodingError);
    session.removeAttribute('count');
    await session.save();
    session.setAttribute('theme', () => 'dark');
    await expect(sessionRequest.commit()).rejects.toThrow(SessionEncodingError);

    expect(told()).toBe(session.id);
  });

  it('leaves the answer of the application to a value that cannot be encoded', async () => {
    const { next } = setUp();
    const { sessionRequest, response } = next();
    const session = await sessionRequest.getSession();
    session.setAttribute('theme', 'dark');
    session.setAttribute('count', 1n);
    await expect(sessionRequest.commit()).rejects.toThrow(SessionEncodingError);
    response.statusCode = 500;
    expect(sessionRequest.needsCommit()).toBe(false);

    session.removeAttribute('count');
    response.statusCode = 302;
    expect(sessionRequest.needsCommit()).toBe(true);
  });

  it('finds the session each time when the pattern of ids has the flag g', async () => {
    const test = setUp({ pattern: new RegExp(SESSION_ID_PATTERN, 'g') });
    const id = await storedSession(test);
    for (const { sessionRequest } of [test.next(id), test.next(id)]) {
      expect((await sessionRequest.getSession()).id).toBe(id);
    }
  });
});
