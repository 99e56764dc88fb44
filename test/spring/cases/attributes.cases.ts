import { describe, expect, it } from '@jest/globals';
import { type Visitor } from '../../../tools/demo/visitor.mjs';
import { sessionKeyOf, type SpringApps } from '../spring-stack.js';

type Read = Record<string, { className?: string; value: unknown }>;

async function readAtNest(visitor: Visitor): Promise<Read> {
  return JSON.parse((await visitor.getJson('/nest/api/attributes')).text) as Read;
}

async function readAtSpring(visitor: Visitor): Promise<Record<string, string>> {
  const { status, text } = await visitor.getJson('/spring/api/attributes');
  expect({ status, text }).toMatchObject({ status: 200 });
  return JSON.parse(text) as Record<string, string>;
}

/** Come first in a file: the log of Spring must not show an error of other tests. */
export function describeAttributes(apps: SpringApps): void {
  describe('attributes of one session', () => {
    it('what Spring writes is what Nest reads', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/attributes', {});
      expect(await readAtNest(visitor)).toEqual({
        text: { value: 'naïve 🍪' },
        integer: { value: 5 },
        long: { value: 6_000_000_000 },
        double: { value: 1.5 },
        boolean: { value: true },
        date: { value: '2014-07-03T04:00:00.000Z' },
        list: { value: ['a', 'b'] },
        map: { value: { key: [1, 2] } },
        tree: { className: 'java.util.TreeMap', value: { a: '1', b: '2' } },
        unmodifiable: { value: ['x'] },
        wishlist: { className: 'shop.Wishlist', value: { owner: 'nobody', items: [] } },
      });
    });

    it('what Nest writes is what Spring reads', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/nest/api/attributes', {
        text: 'naïve 🍪',
        integer: 5,
        long: 6_000_000_000,
        double: 1.5,
        boolean: true,
        nothing: null,
        list: ['a', ['b'], { c: 1 }],
        map: { key: [1, null, 'x'], empty: {}, none: [] },
      });
      expect(await readAtSpring(visitor)).toEqual({
        text: 'java.lang.String naïve 🍪',
        integer: 'java.lang.Integer 5',
        long: 'java.lang.Long 6000000000',
        double: 'java.lang.Double 1.5',
        boolean: 'java.lang.Boolean true',
        list: 'java.util.ArrayList [a, [b], {c=1}]',
        map: 'java.util.LinkedHashMap {key=[1, null, x], empty={}, none=[]}',
      });
    });

    it('an object of a class of Spring stays as it is, byte for byte, unless Nest changes it', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/attributes', {});
      const key = await sessionKeyOf(visitor);
      const fields = ['sessionAttr:wishlist', 'sessionAttr:tree', 'sessionAttr:date'];
      const before = await apps.redis.hmget(key, ...fields);
      await readAtNest(visitor);
      await visitor.postJson('/nest/api/attributes', { other: 1 });
      expect(await apps.redis.hmget(key, ...fields)).toEqual(before);
    });

    it('an object that Nest changes keeps its class', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/attributes', {});
      await visitor.postJson('/nest/api/wishlist?item=book', {});
      const { status, text } = await visitor.getJson('/spring/api/wishlist');
      expect({ status, text }).toEqual({ status: 200, text: '["book"]' });
    });

    it.each([
      ['200 attributes', Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`a${i}`, i]))],
      [
        '200 attributes of 250 characters, some of two units',
        Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`é${i}`, '🍪'.repeat(125)])),
      ],
      ['1 kB', { text: 'x'.repeat(1000) }],
      ['50 kB', { large: 'é'.repeat(25_000) }],
      ['a list in a list, 45 levels deep', { deep: nested(45) }],
      ['names of any kind', { '': 1, 'a:b': 2, '🍪 é"\\': 3, 'sessionAttr:x': 4 }],
      ['half a surrogate pair', { half: '\ud800', list: ['\udc00'] }],
      ['keys that look like something else', { odd: { '': 1, class: 'x', $type: 'y', 1: 2 } }],
      ['lists that look like typed values', { odd: ['java.lang.String', ['x']], more: ['a.b', 1] }],
      [
        'numbers of any size',
        { odd: [-0, 1e21, 5e-324, 1.7976931348623157e308, 2 ** 53, -(2 ** 31)] },
      ],
    ])('Spring reads a session of Nest with %s', async (_what, attributes) => {
      const visitor = apps.visitor();
      expect((await visitor.postJson('/nest/api/attributes', attributes)).status).toBe(200);
      expect(Object.keys(await readAtSpring(visitor)).sort()).toEqual(
        Object.keys(attributes).sort(),
      );
      const read = await readAtNest(visitor);
      expect(
        Object.fromEntries(Object.entries(read).map(([name, { value }]) => [name, value])),
      ).toEqual(JSON.parse(JSON.stringify(attributes)));
    });

    it('Spring reads a text of Nest with control characters and letters of all scripts', async () => {
      const visitor = apps.visitor();
      const units = Array.from({ length: 0x3000 }, (_, unit) => unit);
      const more = Array.from({ length: 0x1000 }, (_, i) => 0xffff - 7 * i);
      const all = [...units, ...more].filter((unit) => !isHalf(unit));
      const text = `${all.map((unit) => String.fromCharCode(unit)).join('')}🍪`;
      expect((await visitor.postJson('/nest/api/attributes', { text })).status).toBe(200);
      expect(await readAtSpring(visitor)).toEqual({ text: `java.lang.String ${text}` });
    });

    it.each([1, 10, 50])('Nest reads a session of Spring of %d kB', async (kilobytes) => {
      const visitor = apps.visitor();
      const items = Array.from({ length: kilobytes }, (_, i) => `${i}-`.padEnd(1000, 'x'));
      for (const item of items) await visitor.postJson(`/spring/api/cart?item=${item}`, {});
      const { text } = await visitor.postJson('/nest/api/cart?item=last', {});
      expect(JSON.parse(text)).toEqual([...items, 'last']);
      expect((await visitor.getJson('/spring/api/cart')).text).toBe(text);
    });

    it.each([
      ['a property that names a class', { evil: { '@class': 'java.io.File' } }],
      ['a list that is too deep', { deep: nested(300) }],
      [
        'a name of a property that is longer than Java reads',
        { long: { ['x'.repeat(50_001)]: 1 } },
      ],
    ])('Nest refuses to store %s, and Spring goes on', async (_what, attributes) => {
      const visitor = apps.visitor();
      await visitor.postJson('/nest/api/attributes', { kept: 1 });
      expect((await visitor.postJson('/nest/api/attributes', attributes)).status).toBe(500);
      expect(await readAtSpring(visitor)).toEqual({ kept: 'java.lang.Integer 1' });
    });

    it('Spring reads every field of a remembered login at Nest', async () => {
      const visitor = apps.visitor();
      const token = (await visitor.getJson('/nest/api/csrf')).text;
      const form = { username: 'alice', password: 'alice', _csrf: token, 'remember-me': 'on' };
      expect((await visitor.submit('/nest/login', form)).status).toBe(303);
      expect((await visitor.getJson('/spring/api/me')).text).toContain('"name":"alice"');
      expect(Object.keys(await readAtSpring(visitor))).toContain('REMEMBER_ME');
    });

    it('Spring has met nothing that it could not read, in its own messages, too', () => {
      expect(apps.running.spring.output()).not.toMatch(/ERROR|Exception/);
    });
  });
}

/** Half a surrogate pair is no character. */
function isHalf(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function nested(levels: number): unknown {
  return levels === 0 ? 'x' : [nested(levels - 1)];
}
