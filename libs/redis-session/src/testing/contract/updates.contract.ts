import { beforeEach, describe, expect, it } from './test-functions.js';
import { SessionInvalidatedError } from '../../session/session.errors.js';
import { RepositoryUnderTest, type SessionRepositoryFactory } from './repository-under-test.js';

const increment = (value: number | undefined): number => (value ?? 0) + 1;

/** `session.update(name, change)`: an atomic read-modify-write of one attribute. */
export function describeUpdates(factory: SessionRepositoryFactory): void {
  let test: RepositoryUnderTest;

  beforeEach(() => {
    test = new RepositoryUnderTest(factory);
  });

  describe('update', () => {
    it('keeps the effect of both sessions that read the same value', async () => {
      const id = await test.store({ count: 10 });
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      void copy1.update('count', increment);
      void copy2.update('count', increment);
      await copy1.save();
      await copy2.save();
      expect(await test.attributesOf(id)).toEqual({ count: 12 });
      expect(copy2.getAttribute('count')).toBe(12);
    });

    it('keeps the effect of both sessions that found no value', async () => {
      const id = await test.store({});
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      await copy1.update('count', increment);
      await copy2.update('count', increment);
      expect(await test.attributesOf(id)).toEqual({ count: 2 });
    });

    it('counts exactly when twenty sessions update at once', async () => {
      const id = await test.store({ count: 0 });
      const copies = await Promise.all(Array.from({ length: 20 }, () => test.find(id)));
      const results = await Promise.all(
        copies.map(async (copy) => copy.update<number>('count', increment)),
      );
      expect(await test.attributesOf(id)).toEqual({ count: 20 });
      expect(results.sort((a, b) => Number(a) - Number(b))).toEqual(
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
    });

    it('takes effect with the next save when it is not awaited', async () => {
      const id = await test.store({ count: 1 });
      const session = await test.find(id);
      void session.update('count', increment);
      expect(session.getAttribute('count')).toBe(2);
      expect(session.hasChanges).toBe(true);
      expect(await test.attributesOf(id)).toEqual({ count: 1 });
      await session.save();
      expect(session.hasChanges).toBe(false);
      expect(await test.attributesOf(id)).toEqual({ count: 2 });
    });

    it('takes effect at once when it is awaited, and gives the value that was stored', async () => {
      const id = await test.store({ count: 1 });
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      await copy1.update('count', () => 41);
      expect(await copy2.update<number>('count', increment)).toBe(42);
      expect(await test.attributesOf(id)).toEqual({ count: 42 });
    });

    it('applies several updates of one attribute in their order, again from the newer value', async () => {
      const id = await test.store({ list: ['a'] });
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      await copy1.update<string[]>('list', (list = []) => [...list, 'b']);
      void copy2.update<string[]>('list', (list = []) => [...list, 'c']);
      void copy2.update<string[]>('list', (list = []) => [...list, 'd']);
      await copy2.save();
      expect(await test.attributesOf(id)).toEqual({ list: ['a', 'b', 'c', 'd'] });
    });

    it('starts from nothing when another session removed the attribute', async () => {
      const id = await test.store({ count: 10 });
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      copy1.removeAttribute('count');
      await copy1.save();
      await copy2.update('count', increment);
      expect(await test.attributesOf(id)).toEqual({ count: 1 });
    });

    it('removes the attribute when the change returns undefined', async () => {
      const id = await test.store({ count: 10, other: 1 });
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      await copy1.update('count', () => undefined);
      expect(await copy2.update<number>('count', increment)).toBe(1);
      expect(await test.attributesOf(id)).toEqual({ count: 1, other: 1 });
    });

    it('goes into one save together with a set and a removal', async () => {
      const id = await test.store({ count: 1, gone: true });
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      await copy1.update('count', increment);
      void copy2.update('count', increment);
      copy2.setAttribute('set', 'value');
      copy2.removeAttribute('gone');
      const newId = copy2.changeSessionId();
      await copy2.save();
      expect(await test.attributesOf(newId)).toEqual({ count: 3, set: 'value' });
    });

    it('rests on a value that was set before, whatever is stored', async () => {
      const id = await test.store({ count: 1 });
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      copy2.setAttribute('count', 100);
      void copy2.update('count', increment);
      await copy1.update('count', increment);
      await copy2.save();
      expect(await test.attributesOf(id)).toEqual({ count: 101 });
    });

    it('is undone by a value that is set after it', async () => {
      const id = await test.store({ count: 1 });
      const session = await test.find(id);
      void session.update('count', increment);
      session.setAttribute('count', 50);
      await session.save();
      expect(await test.attributesOf(id)).toEqual({ count: 50 });
    });

    it('rests on a value that was mutated in place before', async () => {
      const id = await test.store({ list: ['a'] });
      const session = await test.find(id);
      session.getAttribute<string[]>('list')?.push('b');
      await session.update<string[]>('list', (list = []) => [...list, 'c']);
      expect(await test.attributesOf(id)).toEqual({ list: ['a', 'b', 'c'] });
    });

    it('is refused when the session was deleted, and revives no part of it', async () => {
      const id = await test.store({ count: 1 });
      const session = await test.find(id);
      await test.repository.deleteById(id);
      await expect(Promise.resolve(session.update('count', increment))).rejects.toThrow(
        SessionInvalidatedError,
      );
      expect(await test.exists(id)).toBe(false);
    });

    it('stores a new session when it is awaited', async () => {
      const session = test.repository.createSession();
      expect(await session.update<number>('count', increment)).toBe(1);
      expect(await test.attributesOf(session.id)).toEqual({ count: 1 });
    });

    it('changes nothing when the change throws, at the first call or at a repeated one', async () => {
      const id = await test.store({ count: 1 });
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      const refuseTwo = (value = 0): number => {
        if (value === 2) throw new Error('refused');
        return value + 1;
      };
      void copy2.update('count', refuseTwo);
      await copy1.update('count', increment);
      expect(() => copy1.update('count', refuseTwo)).toThrow('refused');
      expect(copy1.hasChanges).toBe(false);
      await expect(copy2.save()).rejects.toThrow('refused');
      await expect(copy2.save()).rejects.toThrow('refused');
      expect(await test.attributesOf(id)).toEqual({ count: 2 });
    });
  });
}
