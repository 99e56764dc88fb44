import { beforeEach, describe, expect, it } from './test-functions.js';
import { generateSessionId } from '../../session/session-id.js';
import { SessionInvalidatedError } from '../../session/session.errors.js';
import { RepositoryUnderTest, type SessionRepositoryFactory } from './repository-under-test.js';

/** The 14 cases of Spring Session's RedisSessionRepositoryITests, and what belongs to them. */
export function describeSpringCases(factory: SessionRepositoryFactory): void {
  let test: RepositoryUnderTest;

  beforeEach(() => {
    test = new RepositoryUnderTest(factory);
  });

  describe('save', () => {
    // save_NewSession_ShouldSaveSession
    it('stores a new session with its attributes, times and interval', async () => {
      const session = test.repository.createSession();
      session.setAttribute('first', 'value');
      expect(session.isNew).toBe(true);
      await test.repository.save(session);
      expect(session.isNew).toBe(false);

      const found = await test.find(session.id);
      expect(found.isNew).toBe(false);
      expect(found.attributeNames).toEqual(['first']);
      expect(found.getAttribute('first')).toBe('value');
      expect(found.creationTime).toEqual(new Date(test.nowMs));
      expect(found.lastAccessedTime).toEqual(new Date(test.nowMs));
      expect(found.maxInactiveIntervalSeconds).toBe(1800);
    });

    // save_LastAccessedTimeInPast_ShouldExpireSession
    it('leaves nothing of a session whose last access is too long ago', async () => {
      test.nowMs = 0;
      const id = await test.store();
      test.nowMs = Date.now();
      expect(await test.exists(id)).toBe(false);
    });

    // save_DeletedSession_ShouldThrowException
    it('refuses a session that was deleted since it was read, and revives no part of it', async () => {
      const id = await test.store();
      const session = await test.find(id);
      await test.repository.deleteById(id);
      session.setAttribute('second', 'value');
      await expect(test.repository.save(session)).rejects.toThrow(SessionInvalidatedError);
      expect(await test.exists(id)).toBe(false);
    });

    // save_ConcurrentUpdates_ShouldSaveSession
    it('keeps an attribute that another replica wrote meanwhile, and the latest access', async () => {
      const id = await test.store({ first: 1 });
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      copy1.touch(test.nowMs + 2000);
      copy1.setAttribute('second', 2);
      await copy1.save();
      copy2.touch(test.nowMs + 1000);
      copy2.setAttribute('third', 3);
      await copy2.save();
      expect(await test.attributesOf(id)).toEqual({ first: 1, second: 2, third: 3 });
      expect((await test.find(id)).lastAccessedTime).toEqual(new Date(test.nowMs + 2000));
    });

    it('removes an attribute for good', async () => {
      const id = await test.store({ first: 1, second: 2 });
      const session = await test.find(id);
      session.removeAttribute('first');
      expect(session.attributeNames).toEqual(['second']);
      await session.save();
      expect(await test.attributesOf(id)).toEqual({ second: 2 });
    });

    it('stores a session without attributes when it is told to', async () => {
      expect(await test.exists(await test.store({}))).toBe(true);
    });
  });

  describe('changeSessionId', () => {
    // save_ChangeSessionIdAndUpdateAttribute_ShouldChangeSessionId
    it('moves the session with an attribute that was changed', async () => {
      const id = await test.store({ first: 1, second: 2 });
      const session = await test.find(id);
      session.setAttribute('first', 'changed');
      const newId = session.changeSessionId();
      expect(session.hasChangedId).toBe(true);
      await session.save();
      expect(session.hasChangedId).toBe(false);
      expect(await test.attributesOf(newId)).toEqual({ first: 'changed', second: 2 });
      expect(await test.exists(id)).toBe(false);
    });

    // save_OnlyChangeSessionId_ShouldChangeSessionId
    it('moves the session when nothing else was changed', async () => {
      const id = await test.store();
      const session = await test.find(id);
      const newId = session.changeSessionId();
      expect(session.id).toBe(newId);
      await session.save();
      expect(await test.attributesOf(newId)).toEqual({ first: 'value' });
      expect(await test.exists(id)).toBe(false);
    });

    // save_ChangeSessionIdTwice_ShouldChangeSessionId
    it('knows only the last of several new ids', async () => {
      const id = await test.store();
      const session = await test.find(id);
      const [newId1, newId2] = [session.changeSessionId(), session.changeSessionId()];
      await session.save();
      expect(await test.exists(newId1)).toBe(false);
      expect(await test.exists(newId2)).toBe(true);
      expect(await test.exists(id)).toBe(false);
    });

    // save_ChangeSessionIdOnNewSession_ShouldChangeSessionId
    it('stores a new session under its new id only', async () => {
      const session = test.repository.createSession();
      const id = session.id;
      session.setAttribute('first', 'value');
      const newId = session.changeSessionId();
      expect(session.hasChangedId).toBe(false);
      await session.save();
      expect(await test.exists(newId)).toBe(true);
      expect(await test.exists(id)).toBe(false);
    });

    // save_ChangeSessionIdSaveTwice_ShouldChangeSessionId
    it('can be saved again, and changed again', async () => {
      const id = await test.store();
      const session = await test.find(id);
      const newId = session.changeSessionId();
      await session.save();
      await session.save();
      expect(await test.exists(newId)).toBe(true);
      expect(await test.exists(id)).toBe(false);
      const newerId = session.changeSessionId();
      await session.save();
      expect(await test.exists(newerId)).toBe(true);
      expect(await test.exists(newId)).toBe(false);
    });

    // save_ChangeSessionIdOnDeletedSession_ShouldThrowException
    it('is refused for a session that was deleted; neither id exists', async () => {
      const id = await test.store();
      const session = await test.find(id);
      await test.repository.deleteById(id);
      session.setAttribute('first', 'changed');
      const newId = session.changeSessionId();
      await expect(session.save()).rejects.toThrow(SessionInvalidatedError);
      expect(await test.exists(newId)).toBe(false);
      expect(await test.exists(id)).toBe(false);
    });

    // save_ChangeSessionIdConcurrent_ShouldThrowException
    it('is refused the second of two times; exactly one id lives', async () => {
      const id = await test.store();
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      const newId1 = copy1.changeSessionId();
      copy1.setAttribute('second', 'value');
      const newId2 = copy2.changeSessionId();
      copy2.setAttribute('third', 'value');
      await copy1.save();
      await expect(copy2.save()).rejects.toThrow(SessionInvalidatedError);
      expect(await test.attributesOf(newId1)).toEqual({ first: 'value', second: 'value' });
      expect(await test.exists(newId2)).toBe(false);
      expect(await test.exists(id)).toBe(false);
    });

    it('keeps the first eight characters and takes the rest from the generator', () => {
      const session = test.repository.createSession();
      const id = session.id;
      const newId = session.changeSessionId();
      expect(newId.slice(0, 8)).toBe(id.slice(0, 8));
      expect(newId.slice(8)).not.toBe(id.slice(8));
    });
  });

  describe('deleteById', () => {
    // deleteById_ValidSession_ShouldDeleteSession
    it('deletes the session', async () => {
      const id = await test.store();
      await test.repository.deleteById(id);
      expect(await test.exists(id)).toBe(false);
    });

    // deleteById_DeletedSession_ShouldDoNothing
    it('does nothing the second time', async () => {
      const id = await test.store();
      await test.repository.deleteById(id);
      await expect(test.repository.deleteById(id)).resolves.toBeUndefined();
    });

    // deleteById_NonexistentSession_ShouldDoNothing
    it('does nothing when there is no such session', async () => {
      const id = generateSessionId();
      await expect(test.repository.deleteById(id)).resolves.toBeUndefined();
      expect(await test.exists(id)).toBe(false);
    });
  });

  describe('an id that no session has', () => {
    it.each([
      "' OR 1=1; --",
      '\u0000',
      'a\u0000b',
      '%',
      '*',
      '',
      '$ne',
      '\ud83d',
      'x'.repeat(10_000),
    ])('finds and deletes nothing: %j', async (id) => {
      const other = await test.store();
      const { repository, nowMs } = test;
      expect(await repository.findById(id)).toBeUndefined();
      expect(await repository.findById(id, { accessTimeMs: nowMs })).toBeUndefined();
      await repository.deleteById(id);
      expect(await test.exists(other)).toBe(true);
    });
  });

  describe('createSession', () => {
    // createSession_CustomMaxInactiveInterval_ShouldCreateSession
    it('gives the session the interval of the repository', () => {
      const { repository } = new RepositoryUnderTest(factory, { maxInactiveIntervalSeconds: 60 });
      expect(repository.createSession().maxInactiveIntervalSeconds).toBe(60);
    });

    it('takes ids from the generator, at creation and at a change', () => {
      let number = 0;
      const sessionIdGenerator = () => `prefix--${'x'.repeat(16)}-${++number}`;
      const { repository } = new RepositoryUnderTest(factory, { sessionIdGenerator });
      const session = repository.createSession();
      expect(session.id).toBe(`prefix--${'x'.repeat(16)}-1`);
      expect(session.changeSessionId()).toBe(`prefix--${'x'.repeat(16)}-2`);
    });

    it('stores nothing', async () => {
      expect(await test.exists(test.repository.createSession().id)).toBe(false);
    });
  });

  describe('invalidate', () => {
    it('leaves nothing that can be read of the session', async () => {
      const session = await test.find(await test.store({ name: 'value' }));
      await session.invalidate();
      expect(() => session.creationTime).toThrow(SessionInvalidatedError);
      expect(() => session.lastAccessedTime).toThrow(SessionInvalidatedError);
      expect(() => session.isNew).toThrow(SessionInvalidatedError);
      expect(() => session.attributeNames).toThrow(SessionInvalidatedError);
    });

    it('deletes the session at once and refuses further use', async () => {
      const id = await test.store();
      const session = await test.find(id);
      await session.invalidate();
      expect(session.isInvalidated).toBe(true);
      expect(await test.exists(id)).toBe(false);
      expect(() => session.getAttribute('first')).toThrow(SessionInvalidatedError);
      expect(() => session.setAttribute('first', 1)).toThrow(SessionInvalidatedError);
      expect(() => session.removeAttribute('first')).toThrow(SessionInvalidatedError);
      expect(() => session.attributeNames).toThrow(SessionInvalidatedError);
      expect(() => session.changeSessionId()).toThrow(SessionInvalidatedError);
      expect(() => session.update('first', () => 1)).toThrow(SessionInvalidatedError);
      await expect(session.invalidate()).rejects.toThrow(SessionInvalidatedError);
    });

    it('deletes the stored session when its id was changed and not saved', async () => {
      const id = await test.store();
      const session = await test.find(id);
      const newId = session.changeSessionId();
      await session.invalidate();
      expect(await test.exists(id)).toBe(false);
      expect(await test.exists(newId)).toBe(false);
    });

    it('leaves a new session unstored, also when the repository is told to save it', async () => {
      const session = test.repository.createSession();
      session.setAttribute('first', 'value');
      await session.invalidate();
      await test.repository.save(session);
      expect(await test.exists(session.id)).toBe(false);
    });

    it('wins over a save that was asked for before and after', async () => {
      const session = test.repository.createSession();
      session.setAttribute('first', 'value');
      const saved = session.save();
      const invalidated = session.invalidate();
      await Promise.all([saved, invalidated, test.repository.save(session)]);
      await session.save();
      expect(await test.exists(session.id)).toBe(false);
    });
  });
}
