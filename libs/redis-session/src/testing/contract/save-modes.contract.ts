import { describe, expect, it } from './test-functions.js';
import { type SaveMode } from '../../session/repository-options.js';
import { eventually } from './eventually.js';
import { RepositoryUnderTest, type SessionRepositoryFactory } from './repository-under-test.js';

/** Which attributes a save writes, and when. */
export function describeSaveModes(factory: SessionRepositoryFactory): void {
  /** What is stored after a session with this mode and one without it have both changed it. */
  async function afterTwoSaves(saveMode?: SaveMode): Promise<Record<string, unknown>> {
    const test = new RepositoryUnderTest(factory, saveMode && { saveMode });
    const id = await test.store({ set: 0, read: 0, unread: 0, mutated: [0] });
    const [session, other] = [await test.find(id), await test.find(id)];
    for (const name of ['set', 'read', 'unread']) other.setAttribute(name, 'other');
    await other.save();
    session.setAttribute('set', 'mine');
    session.getAttribute('read');
    session.getAttribute<number[]>('mutated')?.push(1);
    await session.save();
    await session.save();
    expect(session.hasChanges).toBe(false);
    return test.attributesOf(id);
  }

  const onChange = { set: 'mine', read: 'other', unread: 'other', mutated: [0, 1] };

  describe('saveMode', () => {
    it("defaults to 'on-change'", async () => {
      expect(await afterTwoSaves()).toEqual(onChange);
    });

    it("'on-change' writes what was set, and what was read and mutated in place", async () => {
      expect(await afterTwoSaves('on-change')).toEqual(onChange);
    });

    it("'on-set-attribute' writes only what was set", async () => {
      expect(await afterTwoSaves('on-set-attribute')).toEqual({ ...onChange, mutated: [0] });
    });

    it("'on-get-attribute' writes what was set or read", async () => {
      expect(await afterTwoSaves('on-get-attribute')).toEqual({ ...onChange, read: 0 });
    });

    it("'always' writes everything, once", async () => {
      expect(await afterTwoSaves('always')).toEqual({ ...onChange, read: 0, unread: 0 });
    });

    it.each(['on-change', 'on-set-attribute', 'on-get-attribute', 'always'] as const)(
      "'%s' writes nothing a second time",
      async (saveMode) => {
        const test = new RepositoryUnderTest(factory, { saveMode });
        const id = await test.store({ first: { a: 1 } });
        const session = await test.find(id);
        session.getAttribute('first');
        session.setAttribute('second', 2);
        await session.save();
        expect(session.hasChanges).toBe(false);
      },
    );
  });

  describe('flushMode', () => {
    it("defaults to 'on-save': nothing is written before", async () => {
      const test = new RepositoryUnderTest(factory);
      const id = await test.store({ first: 1 });
      const session = await test.find(id);
      session.setAttribute('first', 2);
      await new Promise(setImmediate);
      expect(await test.attributesOf(id)).toEqual({ first: 1 });
    });

    it("'immediate' writes as soon as the code yields, a new session too", async () => {
      const test = new RepositoryUnderTest(factory, { flushMode: 'immediate' });
      const session = test.repository.createSession();
      session.setAttribute('first', 1);
      session.setAttribute('second', 2);
      await eventually(() => test.exists(session.id));
      expect(await test.attributesOf(session.id)).toEqual({ first: 1, second: 2 });
    });

    it("'immediate' writes a removal, an interval, an update and a new id", async () => {
      const test = new RepositoryUnderTest(factory, { flushMode: 'immediate' });
      const session = await test.find(await test.store({ first: 1, second: 2 }));
      session.removeAttribute('first');
      await eventually(async () => !('first' in (await test.attributesOf(session.id))));
      session.maxInactiveIntervalSeconds = 60;
      await eventually(async () => (await test.find(session.id)).maxInactiveIntervalSeconds === 60);
      void session.update('second', () => 3);
      await eventually(async () => (await test.attributesOf(session.id))['second'] === 3);
      session.changeSessionId();
      await eventually(() => test.exists(session.id));
    });

    it("'immediate' keeps what it could not write for the save", async () => {
      const test = new RepositoryUnderTest(factory, { flushMode: 'immediate' });
      const session = await test.find(await test.store());
      await test.repository.deleteById(session.id);
      session.setAttribute('first', 2);
      await new Promise(setImmediate);
      expect(session.hasChanges).toBe(true);
      await expect(session.save()).rejects.toThrow('deleted or has expired');
    });

    it("'immediate' stores no new session that nobody wrote to", async () => {
      const test = new RepositoryUnderTest(factory, { flushMode: 'immediate' });
      const session = test.repository.createSession();
      await new Promise(setImmediate);
      expect(await test.exists(session.id)).toBe(false);
    });
  });
}
