import { beforeEach, describe, expect, it } from './test-functions.js';
import { jsonSessionCodec } from '../../session/attributes/codec.js';
import { SessionCorruptError, SessionEncodingError } from '../../session/session.errors.js';
import { RepositoryUnderTest, type SessionRepositoryFactory } from './repository-under-test.js';

/** Values that can be stored, that cannot, and that cannot be read back. */
export function describeValues(factory: SessionRepositoryFactory): void {
  let test: RepositoryUnderTest;

  beforeEach(() => {
    test = new RepositoryUnderTest(factory);
  });

  describe('an attribute', () => {
    it.each([null, false, 0, '', 'text \u0000 \ud83d\ude00 "', [], {}, [null, [{ a: [] }]]])(
      'holds %j',
      async (value) => {
        const id = await test.store({ value });
        expect(await test.attributesOf(id)).toEqual({ value });
      },
    );

    it.each(['', '__proto__', 'constructor', 'creationTime', 'a:b c\n', '\ud83d\ude00', '-1'])(
      'can have the name %j',
      async (name) => {
        const session = test.repository.createSession();
        session.setAttribute(name, 'value');
        await session.save();
        const found = await test.find(session.id);
        expect(found.attributeNames).toEqual([name]);
        expect(found.getAttribute(name)).toBe('value');
        expect(found.creationTime).toEqual(new Date(test.nowMs));
        expect(found.getAttribute('toString')).toBeUndefined();
      },
    );

    it('can be one of very many', async () => {
      const session = test.repository.createSession();
      for (let n = 0; n < 5000; n++) session.setAttribute(`name-${n}`, n);
      await session.save();
      expect((await test.find(session.id)).attributeNames).toHaveLength(5000);
    });

    it('that cannot be encoded is refused with its name and the path inside; nothing is written', async () => {
      const id = await test.store({ cart: [] });
      const session = await test.find(id);
      session.setAttribute('other', 1);
      session.setAttribute('cart', [{ price: 1 }, { price: NaN }]);
      await expect(session.save()).rejects.toThrow(
        'Cannot save the session: cart[1].price is not a finite number.',
      );
      expect(await test.attributesOf(id)).toEqual({ cart: [] });
    });

    it('that would be stored with a NUL character, which separates texts, is refused', async () => {
      const encode = () => 'a\0b';
      const coded = new RepositoryUnderTest(factory, { codec: { ...jsonSessionCodec, encode } });
      const session = coded.repository.createSession();
      session.setAttribute('theme', 'dark');
      await expect(session.save()).rejects.toThrow(
        'Cannot save the session: theme has a NUL character in its name or its text.',
      );
      const named = test.repository.createSession();
      named.setAttribute('a\0b', 1);
      await expect(named.save()).rejects.toThrow(SessionEncodingError);
    });

    it('with half a surrogate pair comes back as it was, in JSON', async () => {
      const id = await test.store({ cut: 'half \ud83d' });
      expect(await test.attributesOf(id)).toEqual({ cut: 'half \ud83d' });
    });

    it('that its own codec refuses is named without what the codec says', async () => {
      const encode = (value: unknown): string => {
        throw new Error(`cannot encode ${String(value)}`);
      };
      const strict = new RepositoryUnderTest(factory, { codec: { ...jsonSessionCodec, encode } });
      const session = strict.repository.createSession();
      session.setAttribute('card', 'secret-4711');
      const error = await session.save().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'ERR_SESSION_ENCODING' });
      expect(error).not.toHaveProperty('cause');
      expect(String(error)).toContain('card');
      expect(String(error)).not.toContain('secret-4711');
    });
  });

  describe('an attribute that cannot be decoded', () => {
    const codec = { ...jsonSessionCodec, encode: () => '{secret-4711' };

    it("is absent with onCorrupt 'new-session', with a warning that names it and not its value", async () => {
      const broken = new RepositoryUnderTest(factory, { codec });
      const id = await broken.store({ cart: 1 });
      const session = await broken.find(id);
      expect(broken.warnings).toEqual([]);
      expect(session.getAttribute('cart')).toBeUndefined();
      expect(session.getAttribute('cart')).toBeUndefined();
      expect(broken.warnings).toHaveLength(1);
      expect(broken.warnings[0]).toContain('"cart"');
      expect(broken.warnings[0]).not.toContain('secret');
      expect(broken.warnings[0]).not.toContain(id);
      expect(session.hasChanges).toBe(false);
    });

    it("throws SessionCorruptError with onCorrupt 'error', at its first read only", async () => {
      const broken = new RepositoryUnderTest(factory, { codec, onCorrupt: 'error' });
      const session = await broken.find(await broken.store({ cart: 1 }));
      expect(session.attributeNames).toEqual(['cart']);
      expect(() => session.getAttribute('cart')).toThrow(SessionCorruptError);
      expect(() => session.getAttribute('cart')).toThrow(/^((?!secret).)*$/);
    });

    it("is left as it is by a save that does not touch it, in mode 'always' too", async () => {
      let encode = () => '{other format';
      const changing = new RepositoryUnderTest(factory, {
        codec: {
          encode: () => encode(),
          decode: (text) => (text === '{other format' ? text : jsonSessionCodec.decode(text, '')),
        },
        saveMode: 'always',
      });
      const id = await changing.store({ cart: 1 });
      encode = () => '1';
      const session = await changing.find(id);
      session.setAttribute('second', 1);
      await session.save();
      expect(await changing.attributesOf(id)).toEqual({ cart: '{other format', second: 1 });
    });

    it('can be set, updated and removed', async () => {
      let text = '{broken';
      const encode = (value: unknown, name: string) => text || jsonSessionCodec.encode(value, name);
      const broken = new RepositoryUnderTest(factory, { codec: { ...jsonSessionCodec, encode } });
      const id = await broken.store({ set: 1, updated: 1, removed: 1 });
      text = '';
      const session = await broken.find(id);
      session.setAttribute('set', 2);
      await session.update<number>('updated', (value = 0) => value + 1);
      session.removeAttribute('removed');
      await session.save();
      expect(await broken.attributesOf(id)).toEqual({ set: 2, updated: 1 });
    });
  });
}
