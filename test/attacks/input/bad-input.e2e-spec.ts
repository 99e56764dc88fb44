import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post, Res } from '@nestjs/common';
import { CurrentSession, type RedisSessionModuleOptions, type Session } from 'nestjs-redis-session';
import { send } from '../../support/http/http-client.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { openRawClient } from '../../support/http/raw-client.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

@Controller()
class BadInputController {
  @Get('theme')
  theme(@CurrentSession() session: Session): object {
    return { theme: session.getAttribute<string>('theme') ?? 'none' };
  }

  @Post('theme')
  setTheme(@CurrentSession() session: Session): object {
    session.setAttribute<string>('theme', 'dark-value');
    return { done: true };
  }

  @Post('unencodable')
  unencodable(@CurrentSession() session: Session): object {
    session.setAttribute<string>('theme', 'light-value');
    session.setAttribute<object>('basket', {
      items: [{ price: 1 }, { secret: 'basket-value', price: 1n }],
    });
    return { done: true };
  }

  @Post('unencodable-and-send')
  unencodableAndSend(
    @CurrentSession() session: Session,
    @Res() response: { send(body: object): void },
  ): void {
    response.send(this.unencodable(session));
  }
}

/** As long and of the same alphabet as a session id, but of no session. */
const STRANGE_ID = 'strange_'.repeat(6).slice(0, 43);

const redis = useTestRedis();
const log = new LoggedLines();
const rejections: unknown[] = [];
const noteRejection = (reason: unknown) => rejections.push(reason);

beforeAll(() => {
  process.on('unhandledRejection', noteRejection);
});

afterAll(() => {
  process.off('unhandledRejection', noteRejection);
});

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  let replica: StartedApp;
  let cookie: string;
  let id: string;

  const startWith = async (options: RedisSessionModuleOptions = {}) => {
    replica = await startApp(platform, {
      controllers: [BadInputController],
      log,
      options: {
        namespace: redis.namespace,
        redis: process.env['TEST_REDIS_URL'],
        ...options,
      },
    });
    cookie = (await send(replica.port, 'POST /theme')).cookie ?? '';
    id = cookie.slice('SESSION='.length).split('.', 1)[0] ?? '';
    log.clear();
  };
  const read = (text: string | undefined = cookie) =>
    send(replica.port, 'GET /theme', { cookie: text });
  /** Sends bytes that no HTTP client would. */
  const readWithBytes = async (bytes: Buffer) => {
    const client = await openRawClient(replica.port);
    client.send('GET /theme HTTP/1.1\r\nHost: test\r\nConnection: close\r\nCookie: ');
    client.send(bytes);
    client.send('\r\n\r\n');
    return (await client.response).toString('latin1');
  };
  const expectNothingLogged = (...secrets: string[]) => {
    for (const secret of [id, cookie, 'dark-value', ...secrets]) {
      expect(log.text).not.toContain(secret);
    }
  };

  afterEach(async () => {
    await replica.close();
    expect(rejections).toEqual([]);
    expectNothingLogged();
  });

  describe('a cookie', () => {
    const flipLast = (text: string) => text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A');

    it.each([
      ['of 10 kB', () => `SESSION=${'a'.repeat(10_000)}`],
      ['that is empty', () => 'SESSION='],
      ['that is no base64', () => `SESSION=%%%${STRANGE_ID}`],
      ['with a broken percent escape', () => `SESSION=%E0%A4%A`],
      ['of another alphabet', () => `SESSION=${'ж'.repeat(20)}`.replaceAll('ж', '%D0%B6')],
      ['with a key of Redis in it', () => `SESSION=${'}:*{'.repeat(11).slice(0, 43)}`],
      ['with a NUL and a line break', () => `SESSION=${STRANGE_ID}%00%0d%0a`],
      ['named __proto__', () => '__proto__=polluted; constructor=polluted'],
      ['with the value __proto__', () => 'SESSION=__proto__; SESSION=constructor'],
      ['one character too long', () => `${cookie}A`],
      ['one character off', () => flipLast(cookie)],
      ['that comes a thousand times', () => 'SESSION=x; '.repeat(1000)],
      ['of no session', () => `SESSION=${STRANGE_ID}`],
    ])('%s is that of an anonymous visitor', async (_title, makeCookie) => {
      await startWith();
      const text = makeCookie();
      const answer = await read(text);

      expect([answer.status, answer.text]).toEqual([200, '{"theme":"none"}']);
      expect(answer.headers['set-cookie']).toBeUndefined();
      expect(log.lines).toEqual([]);
      expect((await read()).text).toBe('{"theme":"dark-value"}');
    });

    it.each([
      ['binary bytes', Buffer.from([0x53, 0x3d, 0x80, 0xff, 0xc3, 0x28, 0xfe])],
      ['binary bytes of the length of an id', Buffer.alloc(43, 0xff)],
    ])('of %s is that of an anonymous visitor', async (_title, bytes) => {
      await startWith();
      const response = await readWithBytes(Buffer.concat([Buffer.from('SESSION='), bytes]));

      expect(response).toMatch(/^HTTP\/1\.1 200 /);
      expect(response).toContain('{"theme":"none"}');
      expect(response.toLowerCase()).not.toContain('set-cookie');
      expect((await read()).status).toBe(200);
    });

    it.each([
      ['without a signature', (signed: string) => signed.split('.')[0] ?? ''],
      ['with an empty signature', (signed: string) => `${signed.split('.')[0] ?? ''}.`],
      ['with a signature one character off', (signed: string) => flipLast(signed)],
      [
        'with the signature of nothing',
        (signed: string) => `SESSION=.${signed.split('.')[1] ?? ''}`,
      ],
    ])('%s is that of an anonymous visitor when cookies are signed', async (_title, forge) => {
      await startWith({ cookie: { secrets: ['a-secret-of-32-characters-or-more!'] } });
      expect((await read()).text).toBe('{"theme":"dark-value"}');
      const answer = await read(forge(cookie));

      expect([answer.status, answer.text]).toEqual([200, '{"theme":"none"}']);
      expect(log.lines).toEqual([]);
      expectNothingLogged('a-secret');
    });

    it('in base64 that is not canonical is that of an anonymous visitor', async () => {
      await startWith({ cookie: { encoding: 'base64' } });
      const canonical = cookie.slice('SESSION='.length);

      expect((await read()).text).toBe('{"theme":"dark-value"}');
      for (const text of [`${canonical}!`, `!${canonical}`, canonical.replace(/.{4}/, '$&\t')]) {
        expect((await read(`SESSION=${text}`)).text).toBe('{"theme":"none"}');
      }
    });
  });

  describe('a session in Redis', () => {
    const HUGE = '9'.repeat(1_000_000);

    const damages: [title: string, damage: (key: string) => Promise<unknown>][] = [
      ...['creationTime', 'lastAccessedTime', 'maxInactiveInterval'].flatMap(
        (field): [string, (key: string) => Promise<unknown>][] => [
          [`without ${field}`, (key) => redis.client.hdel(key, field)],
          [`with ${field} no number`, (key) => redis.client.hset(key, field, 'bad-value')],
          [`with an oversized ${field}`, (key) => redis.client.hset(key, field, HUGE)],
        ],
      ),
      [
        'that is a string',
        async (key) => {
          await redis.client.del(key);
          await redis.client.set(key, 'bad-value');
        },
      ],
    ];

    it.each(damages)('%s is replaced by a new one', async (_title, damage) => {
      await startWith();
      await damage(redis.keys.session(id));
      const answer = await read();

      expect([answer.status, answer.text]).toEqual([200, '{"theme":"none"}']);
      expect(log.text).toContain('Cannot read a session');
      expectNothingLogged('bad-value', '99999999');

      const change = await send(replica.port, 'POST /theme', { cookie });
      expect(change.status).toBe(201);
      expect((await read(change.cookie)).text).toBe('{"theme":"dark-value"}');
    });

    it.each(damages)("%s fails with 500 with onCorrupt 'error'", async (_title, damage) => {
      await startWith({ onCorrupt: 'error' });
      await damage(redis.keys.session(id));

      expect((await read()).status).toBe(500);
      expect((await read('SESSION=')).status).toBe(200);
      expect(log.text).toContain('Cannot read a session');
      expectNothingLogged('bad-value', '99999999');
    });

    it.each([
      ['no JSON', '{"bad-value'],
      ['binary', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
      ['empty', ''],
    ])('lacks an attribute whose value is %s', async (_title, value) => {
      await startWith();
      await redis.client.hset(redis.keys.session(id), 'sessionAttr:theme', value);
      const answer = await read();

      expect([answer.status, answer.text]).toEqual([200, '{"theme":"none"}']);
      expect(log.text).toContain('"theme"');
      expectNothingLogged('bad-value');
      await send(replica.port, 'POST /theme', { cookie });
      expect((await read()).text).toBe('{"theme":"dark-value"}');
    });

    it("fails with 500 for an attribute that cannot be decoded with onCorrupt 'error'", async () => {
      await startWith({ onCorrupt: 'error' });
      await redis.client.hset(redis.keys.session(id), 'sessionAttr:theme', '{"bad-value');

      expect((await read()).status).toBe(500);
      expect(log.text).toContain('"theme"');
      expectNothingLogged('bad-value');
    });

    it('cannot pollute a prototype', async () => {
      await startWith();
      const text = '{"a":1,"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
      const key = redis.keys.session(id);
      await redis.client.hset(key, 'sessionAttr:theme', text, 'sessionAttr:__proto__', text);

      expect((await read()).text).toBe('{"theme":{"a":1}}');
      expect({}).not.toHaveProperty('polluted');
    });
  });

  describe('a value that cannot be encoded', () => {
    it.each(['unencodable', 'unencodable-and-send'] as const)(
      'fails with 500, names the attribute in the log, and stores nothing (%s)',
      async (route) => {
        await startWith();
        const before = await redis.client.hgetall(redis.keys.session(id));
        const { status, text } = await send(replica.port, `POST /${route}`, { cookie });

        expect(status).toBe(500);
        expect(text).not.toContain('basket-value');
        expect(log.text).toContain('basket.items[1].price');
        expectNothingLogged('basket-value', 'light-value');
        const { lastAccessedTime, ...after } = await redis.client.hgetall(redis.keys.session(id));
        expect(before).toMatchObject(after);
        expect(Number(lastAccessedTime)).toBeGreaterThanOrEqual(Number(before['lastAccessedTime']));
        expect((await read()).text).toBe('{"theme":"dark-value"}');
      },
    );

    it.each(['unencodable', 'unencodable-and-send'] as const)(
      'stores no session and sets no cookie for a new visitor (%s)',
      async (route) => {
        await startWith();
        const before = await redis.allKeys();
        const { status, headers } = await send(replica.port, `POST /${route}`);

        expect([status, headers['set-cookie']]).toEqual([500, undefined]);
        expect(await redis.allKeys()).toEqual(before);
      },
    );
  });
});
