import { Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CurrentSession, type Session } from 'nestjs-redis-session';
import { javaClassOf, ofJavaClass, springSession } from 'nestjs-redis-session/spring';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';
import { type Visitor } from '../../../tools/demo/visitor.mjs';
import { type Kind, KINDS, REFUSED } from './attribute-kinds.js';
import { ANY_VALUE, FITTING, invoiceWith, JAVA_CLASSES, UNFIT } from './invoices.js';
import { sessionKeyOf, type SpringApps } from '../spring-stack.js';

/** Takes the values that a body cannot carry. */
const desk: { name: string; value: unknown } = { name: 'value', value: undefined };

@Controller('desk')
class DeskController {
  @Post()
  @HttpCode(200)
  put(@CurrentSession() session: Session): void {
    session.setAttribute<unknown>(desk.name, desk.value);
  }

  /** Changes an object and a map of Spring, and copies two numbers. */
  @Post('numbers')
  @HttpCode(200)
  count(@CurrentSession() session: Session): void {
    for (const name of ['map', 'order']) {
      const counted = session.getAttribute<{ count: number } | undefined>(name);
      if (counted) counted.count = 2;
    }
    const [id, order] = ['id', 'order'].map((name) => session.getAttribute<object>(name) ?? {});
    const { id: ofOrder } = order as { id?: unknown };
    session.setAttribute<object>('copy', { id: ofOrder, list: [id] });
  }

  /** Changes an object of Spring: a text, and a number in an object of a class that is final. */
  @Post('invoice')
  @HttpCode(200)
  bill(@CurrentSession() session: Session): void {
    const invoice = session.getAttribute<{ owner: string; first: { count: number } }>('invoice');
    if (!invoice) return;
    invoice.owner = 'bob';
    invoice.first.count = 2;
  }

  @Get()
  take(@CurrentSession() session: Session, @Query('name') name = 'value'): void {
    desk.value = session.getAttribute<string>(name);
  }
}

export function describeKindsOfAttributes(apps: SpringApps): void {
  const { boot, serialization = 'json' } = apps.options;
  describe('attributes of every kind', () => {
    const log = new LoggedLines();
    let desks: StartedApp | undefined;
    beforeAll(async () => {
      const feature =
        serialization === 'json'
          ? springSession({ boot, classes: JAVA_CLASSES })
          : springSession({ boot, serialization, storesLogins: 'default' });
      desks = await startApp('express', {
        options: { redis: apps.running.storeUrl, features: [feature] },
        controllers: [DeskController],
        log,
      });
    });
    afterAll(() => desks?.close());

    async function atDesk(
      visitor: Visitor,
      method: 'get' | 'post',
      path = '/desk',
    ): Promise<number> {
      if (!desks) throw new Error('The application has not started.');
      return (await desks.client[method](path).set('cookie', await visitor.cookie())).status;
    }

    /** Somebody with a session. */
    async function kim(): Promise<Visitor> {
      const visitor = apps.visitor();
      await visitor.postJson('/nest/api/attributes', { kept: 1, value: 'before' });
      return visitor;
    }

    async function fieldsOf(visitor: Visitor): Promise<Record<string, string>> {
      const { lastAccessedTime, ...fields } = await apps.redis.hgetall(await sessionKeyOf(visitor));
      expect(lastAccessedTime).toBeDefined();
      return fields;
    }

    async function readAtSpring(visitor: Visitor): Promise<Record<string, string>> {
      const { status, text } = await visitor.getJson('/spring/api/attributes');
      expect({ status, text }).toMatchObject({ status: 200 });
      return JSON.parse(text) as Record<string, string>;
    }

    async function expectRefusal(name: string, value: unknown): Promise<void> {
      const visitor = await kim();
      const before = await fieldsOf(visitor);
      log.clear();
      Object.assign(desk, { name, value });
      expect(await atDesk(visitor, 'post')).toBe(500);
      expect(log.text).toMatch(/SessionEncodingError: Cannot save the session: .+ \S+\./);
      expect(await fieldsOf(visitor)).toEqual(before);
      expect(await readAtSpring(visitor)).toEqual({
        kept: 'java.lang.Integer 1',
        value: 'java.lang.String before',
      });
    }

    const isStored = (kind: Kind) => serialization === 'json' || 'jdk' in kind;
    const kinds = Object.entries(KINDS);
    const stored = kinds.filter(([, kind]) => isStored(kind));
    const refused = kinds.filter(([, kind]) => !isStored(kind));

    it.each(stored)(
      'Spring reads %s, writes it again, and Nest reads the same',
      async (_, kind) => {
        const visitor = await kim();
        Object.assign(desk, { name: 'value', value: kind.value });
        expect(await atDesk(visitor, 'post')).toBe(200);
        const text = kind[serialization];
        expect(await readAtSpring(visitor)).toEqual({
          kept: 'java.lang.Integer 1',
          ...(text !== undefined && { value: text }),
        });
        expect((await visitor.postJson('/spring/api/attributes/again', {})).status).toBe(200);
        desk.value = 'nobody has read';
        expect(await atDesk(visitor, 'get')).toBe(200);
        const { again = kind.value } = kind;
        expect(contentOf(desk.value)).toEqual(
          contentOf(serialization === 'jdk' ? kind.value : again),
        );
        await readAtSpring(visitor);
      },
    );

    it.each([
      ...refused.map(([what, { value }]) => [what, 'value', value] as const),
      ...Object.entries(REFUSED).map(([what, [name, value]]) => [what, name, value] as const),
    ])('Nest refuses %s before it writes anything, and Spring goes on', async (_, name, value) => {
      await expectRefusal(name, value);
    });

    it('Nest reads every digit of a long that JavaScript does not hold', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/numbers', {});
      const id = { value: '1234567890123456789' };
      for (const [name, expected] of Object.entries({ id, order: { id }, map: { id } })) {
        expect(await atDesk(visitor, 'get', `/desk?name=${name}`)).toBe(200);
        expect(desk.value).toMatchObject(expected);
      }
      expect(await readAtSpring(visitor)).toMatchObject({
        id: 'java.lang.Long 1234567890123456789',
      });
    });

    const itWithJson = serialization === 'json' ? it : undefined;

    itWithJson?.('whole numbers that JavaScript does not hold keep every digit', async () => {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/numbers', {});
      const before = await fieldsOf(visitor);
      expect(await atDesk(visitor, 'post', '/desk/numbers')).toBe(200);
      const expected = {
        copy: 'java.util.LinkedHashMap {id=1234567890123456789, list=[1234567890123456789]}',
        huge: 'java.math.BigInteger 92233720368547758091',
        id: 'java.lang.Long 1234567890123456789',
        map: 'java.util.LinkedHashMap {id=1234567890123456789, huge=92233720368547758091, count=2}',
        order: 'shop.Order 1234567890123456789 92233720368547758091 2',
      };
      expect(await readAtSpring(visitor)).toEqual(expected);
      const after = await fieldsOf(visitor);
      for (const name of ['sessionAttr:map', 'sessionAttr:order'])
        expect(after[name]).toBe(before[name]?.replace('"count":1', '"count":2'));
      expect((await visitor.postJson('/spring/api/attributes/again', {})).status).toBe(200);
      expect(await atDesk(visitor, 'post', '/desk/numbers')).toBe(200);
      expect(await readAtSpring(visitor)).toEqual(expected);
    });

    const eachWithJson = serialization === 'json' ? it.each : undefined;

    eachWithJson?.(FITTING)('Spring reads an object whose field %s', async (_, field, value) => {
      const visitor = await kim();
      Object.assign(desk, { name: 'value', value: invoiceWith(field, value) });
      expect(await atDesk(visitor, 'post')).toBe(200);
      expect((await readAtSpring(visitor))['value']).toMatch(/^shop\.Invoice /);
    });

    eachWithJson?.(UNFIT)(
      'Nest refuses an object whose field %s, and Spring goes on',
      async (_, field, value) => {
        await expectRefusal('value', invoiceWith(field, value));
        expect(log.text).toContain(`value.${field}`);
      },
    );

    itWithJson?.(
      'Spring reads every object that Nest does not refuse',
      async () => {
        const visitor = await kim();
        const statuses = new Map<number, number>();
        const isRead = fc.asyncProperty(ANY_VALUE, async ([field, value]) => {
          Object.assign(desk, { name: 'value', value: invoiceWith(field, value) });
          const status = await atDesk(visitor, 'post');
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          await readAtSpring(visitor);
        });
        // Ends before the test does, so that it still tells the smallest value that failed.
        await fc.assert(isRead, { numRuns: 300, interruptAfterTimeLimit: 45_000 });
        expect([...statuses.keys()].sort()).toEqual([200, 500]);
      },
      60_000,
    );

    itWithJson?.(
      'an object of Spring stays as it is but for the fields that Nest changes',
      async () => {
        const visitor = apps.visitor();
        await visitor.postJson('/spring/api/invoice', {});
        const before = await fieldsOf(visitor);
        const original = await readAtSpring(visitor);
        expect(await atDesk(visitor, 'post', '/desk/invoice')).toBe(200);
        const after = await fieldsOf(visitor);
        const expected = before['sessionAttr:invoice']
          ?.replace('"owner":"kim"', '"owner":"bob"')
          .replace(/("sku":"a","count":)1/, '$12');
        expect(after['sessionAttr:invoice']).toBe(expected);
        expect(await readAtSpring(visitor)).toEqual({
          invoice: original['invoice']?.replace('kim', 'bob').replace('count=1', 'count=2'),
        });
      },
    );

    itWithJson?.(
      'a user of Nest with blank authorities is one at Spring, with the others',
      async () => {
        const principal = { username: 'kim' };
        const authentication = { name: 'kim', principal, authorities: ['', ' \u001c', 'READ'] };
        const visitor = await kim();
        const login = { ...authentication, kind: 'full', authenticatedAt: 5 };
        Object.assign(desk, { name: 'SECURITY_CONTEXT', value: { authentication: login } });
        expect(await atDesk(visitor, 'post')).toBe(200);
        const { text } = await visitor.getJson('/spring/api/me');
        expect(JSON.parse(text)).toMatchObject({ name: 'kim', authorities: ['READ'] });
      },
    );

    itWithJson?.(
      'a set is stored for Boot 4, and refused for Boot 3, which cannot read it',
      async () => {
        const set = ofJavaClass('java.util.HashSet', ['a']);
        if (boot === 3) return expectRefusal('value', set);
        const visitor = await kim();
        Object.assign(desk, { name: 'value', value: set });
        expect(await atDesk(visitor, 'post')).toBe(200);
        expect(await readAtSpring(visitor)).toMatchObject({ value: 'java.util.HashSet [a]' });
      },
    );
  });
}

/** Without the mark by which the library knows the class of an object. */
function contentOf(value: unknown): object {
  return { className: javaClassOf(value), value: structuredClone(value) };
}
