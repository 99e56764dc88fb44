import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JavaValue, javaClassOf } from '../java-value.js';
import { readJavaStream } from './java-stream.js';

/** The login of alice, as Spring Boot 4.0.7 stores it. */
const CONTEXT = Buffer.from(
  'rO0ABXNyAD1vcmcuc3ByaW5nZnJhbWV3b3JrLnNlY3VyaXR5LmNvcmUuY29udGV4dC5TZWN1cml0eUNvbnRleHRJbXBsAAAAAAAA' +
    'AmwCAAFMAA5hdXRoZW50aWNhdGlvbnQAMkxvcmcvc3ByaW5nZnJhbWV3b3JrL3NlY3VyaXR5L2NvcmUvQXV0aGVudGljYXRpb247' +
    'eHBzcgBPb3JnLnNwcmluZ2ZyYW1ld29yay5zZWN1cml0eS5hdXRoZW50aWNhdGlvbi5Vc2VybmFtZVBhc3N3b3JkQXV0aGVudGlj' +
    'YXRpb25Ub2tlbgAAAAAAAAJsAgACTAALY3JlZGVudGlhbHN0ABJMamF2YS9sYW5nL09iamVjdDtMAAlwcmluY2lwYWxxAH4ABHhy' +
    'AEdvcmcuc3ByaW5nZnJhbWV3b3JrLnNlY3VyaXR5LmF1dGhlbnRpY2F0aW9uLkFic3RyYWN0QXV0aGVudGljYXRpb25Ub2tlbtOq' +
    'KH5uR2QOAgADWgANYXV0aGVudGljYXRlZEwAC2F1dGhvcml0aWVzdAAWTGphdmEvdXRpbC9Db2xsZWN0aW9uO0wAB2RldGFpbHNx' +
    'AH4ABHhwAXNyACZqYXZhLnV0aWwuQ29sbGVjdGlvbnMkVW5tb2RpZmlhYmxlTGlzdPwPJTG17I4QAgABTAAEbGlzdHQAEExqYXZh' +
    'L3V0aWwvTGlzdDt4cgAsamF2YS51dGlsLkNvbGxlY3Rpb25zJFVubW9kaWZpYWJsZUNvbGxlY3Rpb24ZQgCAy173HgIAAUwAAWNx' +
    'AH4ABnhwc3IAE2phdmEudXRpbC5BcnJheUxpc3R4gdIdmcdhnQMAAUkABHNpemV4cAAAAAN3BAAAAANzcgBCb3JnLnNwcmluZ2Zy' +
    'YW1ld29yay5zZWN1cml0eS5jb3JlLmF1dGhvcml0eS5TaW1wbGVHcmFudGVkQXV0aG9yaXR5AAAAAAAAAmwCAAFMAARyb2xldAAS' +
    'TGphdmEvbGFuZy9TdHJpbmc7eHB0AApST0xFX0FETUlOc3EAfgAOdAAJUk9MRV9VU0VSc3IAQm9yZy5zcHJpbmdmcmFtZXdvcmsu' +
    'c2VjdXJpdHkuY29yZS5hdXRob3JpdHkuRmFjdG9yR3JhbnRlZEF1dGhvcml0eRu6W+i8nBwQAgACTAAJYXV0aG9yaXR5cQB+AA9M' +
    'AAhpc3N1ZWRBdHQAE0xqYXZhL3RpbWUvSW5zdGFudDt4cHQAD0ZBQ1RPUl9QQVNTV09SRHNyAA1qYXZhLnRpbWUuU2VylV2Euhsi' +
    'SLIMAAB4cHcNAgAAAABrC99SCJC6K3h4cQB+AA1zcgBIb3JnLnNwcmluZ2ZyYW1ld29yay5zZWN1cml0eS53ZWIuYXV0aGVudGlj' +
    'YXRpb24uV2ViQXV0aGVudGljYXRpb25EZXRhaWxzAAAAAAAAAmwCAAJMAA1yZW1vdGVBZGRyZXNzcQB+AA9MAAlzZXNzaW9uSWRx' +
    'AH4AD3hwdAAJMTI3LjAuMC4xdAAkODZlMGMzMjktZjY0Ni00ZDcwLTk0NGItOGJhYzA1NmJiMTRlcHNyADJvcmcuc3ByaW5nZnJh' +
    'bWV3b3JrLnNlY3VyaXR5LmNvcmUudXNlcmRldGFpbHMuVXNlcgAAAAAAAAJsAgAHWgARYWNjb3VudE5vbkV4cGlyZWRaABBhY2Nv' +
    'dW50Tm9uTG9ja2VkWgAVY3JlZGVudGlhbHNOb25FeHBpcmVkWgAHZW5hYmxlZEwAC2F1dGhvcml0aWVzdAAPTGphdmEvdXRpbC9T' +
    'ZXQ7TAAIcGFzc3dvcmRxAH4AD0wACHVzZXJuYW1lcQB+AA94cAEBAQFzcgAlamF2YS51dGlsLkNvbGxlY3Rpb25zJFVubW9kaWZp' +
    'YWJsZVNldIAdktGPm4BVAgAAeHEAfgAKc3IAEWphdmEudXRpbC5UcmVlU2V03ZhQk5Xth1sDAAB4cHNyAEZvcmcuc3ByaW5nZnJh' +
    'bWV3b3JrLnNlY3VyaXR5LmNvcmUudXNlcmRldGFpbHMuVXNlciRBdXRob3JpdHlDb21wYXJhdG9yAAAAAAAAAmwCAAB4cHcEAAAA' +
    'AnEAfgAQcQB+ABJ4cHQABWFsaWNl',
  'base64',
);

/** Parts of a stream. */
const u1 = (value: number) => Buffer.from([value]);
const u2 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
const u4 = (value: number) => Buffer.from(value.toString(16).padStart(8, '0'), 'hex');
const utf = (text: string) => Buffer.concat([u2(Buffer.byteLength(text)), Buffer.from(text)]);
const NULL = u1(0x70);
const END = u1(0x78);
const text = (value: string) => Buffer.concat([u1(0x74), utf(value)]);
const reference = (handle: number) => Buffer.concat([u1(0x71), u4(0x7e0000 + handle)]);
const stream = (...parts: Buffer[]) => Buffer.concat([Buffer.from('aced0005', 'hex'), ...parts]);

/** Of a class with fields that are objects. */
function describeClass(name: string, fields: readonly string[], flags = 2): Buffer {
  const parts = fields.map((field) => Buffer.concat([u1(0x4c), utf(field), text('LX;')]));
  const head = [u1(0x72), utf(name), Buffer.alloc(8), u1(flags), u2(fields.length)];
  return Buffer.concat([...head, ...parts, END, NULL]);
}

function object(name: string, fields: Readonly<Record<string, Buffer>>): Buffer {
  const values = Object.values(fields);
  return Buffer.concat([u1(0x73), describeClass(name, Object.keys(fields)), ...values]);
}

describe('readJavaStream', () => {
  it('reads a login as Spring stores it', () => {
    const context = readJavaStream(CONTEXT) as { authentication: Record<string, unknown> };
    expect(javaClassOf(context)).toBe(
      'org.springframework.security.core.context.SecurityContextImpl',
    );
    const { authentication } = context;
    expect(authentication).toMatchObject({ authenticated: true, credentials: null });
    expect(authentication['principal']).toMatchObject({ username: 'alice', password: null });
    expect(authentication['authorities']).toEqual([
      expect.objectContaining({ authority: 'ROLE_ADMIN' }),
      expect.objectContaining({ authority: 'ROLE_USER' }),
      expect.objectContaining({ authority: 'FACTOR_PASSWORD', issuedAt: expect.any(Number) }),
    ]);
  });

  it('gives an object its class and its fields, and runs nothing of it', () => {
    const gadget = readJavaStream(stream(object('java.lang.Runtime', { command: text('reboot') })));
    expect(gadget).toEqual(expect.objectContaining({ command: 'reboot' }));
    expect(javaClassOf(gadget)).toBe('java.lang.Runtime');
  });

  it('gives the constant of an enum as a value with its class', () => {
    const constant = Buffer.concat([u1(0x7e), describeClass('shop.Color', [], 0x12), text('RED')]);
    expect(readJavaStream(stream(constant))).toEqual(new JavaValue('shop.Color', 'RED'));
  });

  it.each([
    ['nothing', ''],
    ['umlauts', 'naïve'],
    ['a NUL', 'a\0b'],
    ['a cookie', '🍪'],
    ['half a surrogate pair', '\ud800'],
    ['60,000 characters', 'é'.repeat(30_000)],
  ])('reads a text of %s', (_what, value) => {
    const units = [...Array(value.length).keys()].map((i) => value.charCodeAt(i));
    const bytes = units.flatMap((unit) => {
      if (unit > 0 && unit < 0x80) return [unit];
      if (unit < 0x800) return [0xc0 | (unit >> 6), 0x80 | (unit & 0x3f)];
      return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)];
    });
    expect(readJavaStream(stream(u1(0x74), u2(bytes.length), Buffer.from(bytes)))).toBe(value);
  });

  it('a field that is called __proto__ changes no prototype', () => {
    const evil = object('shop.Evil', {
      ['__proto__']: object('shop.Admin', { isAdmin: text('x') }),
    });
    const value = readJavaStream(stream(evil)) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect('isAdmin' in value).toBe(false);
    expect('isAdmin' in {}).toBe(false);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['JSON', Buffer.from('{"@class":"java.util.HashMap"}')],
    ['two objects', stream(NULL, NULL)],
    ['an end without a beginning', stream(END)],
    ['bytes without a class', stream(u1(0x77), u1(1), u1(0))],
    ['a cycle', stream(object('shop.Loop', { self: reference(2) }))],
    ['a class that is its own parent', selfParent()],
    ['a reference to nothing', stream(reference(9))],
    ['a class in the place of an object', stream(reference(0))],
    ['an object of no class', stream(u1(0x73), NULL)],
    ['a proxy', stream(u1(0x73), u1(0x7d))],
    ['an array of two billion', stream(u1(0x75), describeClass('[B', []), u4(0x7fffffff))],
    ['a text of 2^60 characters', stream(u1(0x7c), u4(0x10000000), u4(0))],
    ['10,000 objects in each other', nested(10_000)],
    ['10,000 classes above each other', stream(u1(0x73), parents(10_000))],
    ['lists that double 60 times', doubling(60)],
    ['two megabytes', stream(u1(0x7c), u4(0), u4(2_000_000), Buffer.alloc(2_000_000, 'x'))],
  ])('refuses %s at once', (_what, bytes) => {
    expect(() => readJavaStream(bytes)).toThrow(/Java stream/);
  });

  it('refuses a login that is cut off, wherever that is', () => {
    for (let length = 0; length < CONTEXT.length; length++)
      expect(() => readJavaStream(CONTEXT.subarray(0, length))).toThrow(Error);
  });

  it('reads or refuses a login with wrong bytes, and does nothing else', () => {
    const change = fc.record({ at: fc.nat(CONTEXT.length - 1), byte: fc.nat(255) });
    const changes = fc.array(change, { minLength: 1, maxLength: 8 });
    const read = (bytes: Buffer): unknown => {
      try {
        return readJavaStream(bytes);
      } catch (error) {
        return error;
      }
    };
    fc.assert(
      fc.property(changes, (all) => {
        const bytes = Buffer.from(CONTEXT);
        for (const { at, byte } of all) bytes[at] = byte;
        const value = read(bytes);
        if (value instanceof Error) expect(value.stack).not.toContain('Maximum call stack');
        else expect(JSON.stringify([value]).length).toBeLessThan(100_000);
      }),
      { numRuns: 1000 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

function nested(levels: number): Buffer {
  const first = object('shop.Box', { content: NULL });
  const head = first.subarray(0, first.length - 1);
  const further = Buffer.concat([u1(0x73), reference(0)]);
  return stream(head, ...Array.from({ length: levels }, () => further), NULL);
}

function parents(levels: number): Buffer {
  const head = describeClass('shop.Child', []);
  const withoutParent = head.subarray(0, head.length - 1);
  return Buffer.concat([...Array.from({ length: levels }, () => withoutParent), NULL]);
}

function selfParent(): Buffer {
  const head = describeClass('shop.Ouroboros', []);
  return stream(u1(0x73), head.subarray(0, head.length - 1), reference(0));
}

/** Each pair holds the one before it twice. */
function doubling(levels: number): Buffer {
  const first = object('shop.Pair', { a: NULL, b: NULL });
  // Class 0, the names of types 1 and 2, then the pairs.
  const pairs = Array.from({ length: levels }, (_, i) => {
    return Buffer.concat([u1(0x73), reference(0), reference(3 + i), reference(3 + i)]);
  });
  const list = describeClass('java.util.ArrayList', [], 3);
  return stream(u1(0x73), list, u1(0x77), u1(0), first, ...pairs, END);
}
