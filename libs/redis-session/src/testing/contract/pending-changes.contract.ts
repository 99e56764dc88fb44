import { beforeEach, describe, expect, it } from './test-functions.js';
import { jsonSessionCodec } from '../../session/attributes/codec.js';
import { SessionEncodingError } from '../../session/session.errors.js';
import { RepositoryUnderTest, type SessionRepositoryFactory } from './repository-under-test.js';

/** What counts as a change, and what becomes of one that comes while a save is under way or after it has failed. */
export function describePendingChanges(factory: SessionRepositoryFactory): void {
  let test: RepositoryUnderTest;
  let duringSave: (() => void) | undefined;

  beforeEach(() => {
    duringSave = undefined;
    const encode = (value: unknown, name: string) => {
      // After the save has computed what it writes, and before it is written.
      queueMicrotask(() => {
        duringSave?.();
        duringSave = undefined;
      });
      return jsonSessionCodec.encode(value, name);
    };
    test = new RepositoryUnderTest(factory, { codec: { ...jsonSessionCodec, encode } });
  });

  describe('hasChanges', () => {
    it('is false for a session as it was read, also after its attributes were read', async () => {
      const session = await test.find(await test.store({ text: 'a', data: { list: [1, 2] } }));
      expect(session.hasChanges).toBe(false);
      session.getAttribute('text');
      session.getAttribute('data');
      session.getAttribute('absent');
      expect(session.hasChanges).toBe(false);
    });

    it('is false for a new session until somebody sets an attribute', () => {
      const session = test.repository.createSession();
      session.maxInactiveIntervalSeconds = 60;
      session.removeAttribute('absent');
      session.setAttribute('absent', undefined);
      session.changeSessionId();
      expect(session.hasChanges).toBe(false);
      session.setAttribute('first', null);
      expect(session.hasChanges).toBe(true);
      session.removeAttribute('first');
      expect(session.hasChanges).toBe(false);
    });

    it('is true after each kind of change', async () => {
      const id = await test.store({ first: { list: [1] } });
      const changes: ((session: Awaited<ReturnType<typeof test.find>>) => void)[] = [
        (session) => session.setAttribute('second', 1),
        (session) => session.removeAttribute('first'),
        (session) => void session.update('first', () => 1),
        (session) => void session.getAttribute<{ list: number[] }>('first')?.list.push(2),
        (session) => void session.changeSessionId(),
        (session) => void (session.maxInactiveIntervalSeconds = 60),
        (session) => session.touch(test.nowMs + 1),
      ];
      for (const change of changes) {
        const session = await test.find(id);
        change(session);
        expect([change.toString(), session.hasChanges]).toEqual([change.toString(), true]);
      }
    });
  });

  describe('a value that was mutated in place', () => {
    it('is stored, also when it is mutated again after a save', async () => {
      const id = await test.store({ cart: { items: ['a'] } });
      const session = await test.find(id);
      const cart = session.getAttribute<{ items: string[] }>('cart');
      cart?.items.push('b');
      await session.save();
      expect(await test.attributesOf(id)).toEqual({ cart: { items: ['a', 'b'] } });
      cart?.items.push('c');
      await session.save();
      expect(await test.attributesOf(id)).toEqual({ cart: { items: ['a', 'b', 'c'] } });
    });

    it('is stored when it was set before', async () => {
      const items = ['a'];
      const session = test.repository.createSession();
      session.setAttribute('items', items);
      await session.save();
      items.push('b');
      await session.save();
      expect(await test.attributesOf(session.id)).toEqual({ items: ['a', 'b'] });
    });

    it('is not one when only the format of its text differs', async () => {
      let indent: number | undefined = 2;
      const spaced = new RepositoryUnderTest(factory, {
        codec: { ...jsonSessionCodec, encode: (value) => JSON.stringify(value, undefined, indent) },
      });
      const id = await spaced.store({ cart: { b: 1, a: [2] } });
      indent = undefined;
      const session = await spaced.find(id);
      const cart = session.getAttribute<{ a: number[] }>('cart');
      expect(session.hasChanges).toBe(false);
      cart?.a.push(3);
      expect(session.hasChanges).toBe(true);
    });

    it('reaches no other session that read the same', async () => {
      const id = await test.store({ cart: ['a'] });
      const [copy1, copy2] = [await test.find(id), await test.find(id)];
      copy1.getAttribute<string[]>('cart')?.push('b');
      await copy1.save();
      expect(copy2.getAttribute('cart')).toEqual(['a']);
    });
  });

  describe('a change while a save is under way', () => {
    it('stays pending when it sets the same attribute', async () => {
      const id = await test.store({ first: 1 });
      const session = await test.find(id);
      session.setAttribute('first', 2);
      duringSave = () => session.setAttribute('first', 3);
      await session.save();
      expect(await test.attributesOf(id)).toEqual({ first: 2 });
      expect(session.hasChanges).toBe(true);
      await session.save();
      expect(await test.attributesOf(id)).toEqual({ first: 3 });
      expect(session.hasChanges).toBe(false);
    });

    it('stays pending when it removes the attribute', async () => {
      const id = await test.store({ first: 1 });
      const session = await test.find(id);
      session.setAttribute('first', 2);
      duringSave = () => session.removeAttribute('first');
      await session.save();
      await session.save();
      expect(await test.attributesOf(id)).toEqual({});
    });

    it('stays pending when it sets another attribute, the interval, the access or the id', async () => {
      const id = await test.store({ first: 1 });
      const session = await test.find(id);
      session.setAttribute('first', 2);
      duringSave = () => {
        session.setAttribute('second', 2);
        session.maxInactiveIntervalSeconds = 60;
        session.touch(test.nowMs + 1);
        session.changeSessionId();
      };
      await session.save();
      expect(session.hasChangedId).toBe(true);
      expect(await test.attributesOf(id)).toEqual({ first: 2 });
      await session.save();
      const stored = await test.find(session.id);
      expect(stored.getAttribute('second')).toBe(2);
      expect(stored.maxInactiveIntervalSeconds).toBe(60);
      expect(stored.lastAccessedTime).toEqual(new Date(test.nowMs + 1));
      expect(await test.exists(id)).toBe(false);
    });

    it('stays an atomic one when it is an update, of a value that the save sets or updates', async () => {
      const id = await test.store({ set: 0, updated: 0 });
      const [session, other] = [await test.find(id), await test.find(id)];
      const add = (value = 0): number => value + 1;
      session.setAttribute('set', 10);
      void session.update('updated', add);
      duringSave = () => {
        void session.update('set', add);
        void session.update('updated', add);
      };
      await session.save();
      expect(await test.attributesOf(id)).toEqual({ set: 10, updated: 1 });
      await other.update<number>('set', (value = 0) => value + 100);
      await other.update<number>('updated', (value = 0) => value + 100);
      // The other session had read 0: its updates were computed again.
      expect(await test.attributesOf(id)).toEqual({ set: 110, updated: 101 });
      await session.save();
      expect(await test.attributesOf(id)).toEqual({ set: 111, updated: 102 });
    });

    it('stays pending when it mutates the value in place', async () => {
      const id = await test.store({ list: ['a'] });
      const session = await test.find(id);
      const list = ['b'];
      session.setAttribute('list', list);
      duringSave = () => void list.push('c');
      await session.save();
      expect(session.hasChanges).toBe(true);
      await session.save();
      expect(await test.attributesOf(id)).toEqual({ list: ['b', 'c'] });
    });
  });

  describe('a save that fails', () => {
    it('writes nothing and keeps all changes pending', async () => {
      const id = await test.store({ first: 1 });
      const session = await test.find(id);
      session.setAttribute('first', 2);
      session.setAttribute('second', 1n);
      const newId = session.changeSessionId();
      await expect(session.save()).rejects.toThrow(SessionEncodingError);
      expect(await test.attributesOf(id)).toEqual({ first: 1 });
      expect(await test.exists(newId)).toBe(false);
      session.setAttribute('second', 1);
      await session.save();
      expect(await test.attributesOf(newId)).toEqual({ first: 2, second: 1 });
    });

    it('does not hold up the next one', async () => {
      const session = test.repository.createSession();
      session.setAttribute('first', 1n);
      const failed = session.save().catch((error: unknown) => error);
      await failed;
      session.setAttribute('first', 1);
      await session.save();
      expect(await test.attributesOf(session.id)).toEqual({ first: 1 });
    });
  });
}
