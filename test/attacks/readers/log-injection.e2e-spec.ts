import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Put } from '@nestjs/common';
import {
  CurrentSession,
  OnSessionEvent,
  type RedisSessionModuleOptions,
  type Session,
  type SessionEvent,
} from 'nestjs-redis-session';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';
import { type LyingProxy, startLyingProxy } from '../../support/faults/lying-proxy.js';
import { eventually } from '../../support/waiting/eventually.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const LIE = 'audit: admin logged in';
const LONG = 'x'.repeat(100_000);
const NAMES = [
  `a\n${LIE}`,
  `a\r\n${LIE}`,
  `a\u2028${LIE}`,
  `a\u0085${LIE}`,
  `a\u001b[2K\u001b[1G${LIE}`,
  `a" ${LIE}`,
  LONG,
];
/** None has the CR LF that ends a reply of Redis. */
const SENTENCES = [
  `ERR a\n${LIE}`,
  `ERR a\u001b[2K\u001b[1G${LIE}`,
  `ERR a\u202e${LIE}`,
  `ERR a\u{e0041}${LIE}`,
  `ERR ${LONG}`,
];
const ENCRYPTION = { keys: [Buffer.alloc(32, 1).toString('base64')] };

interface Sent {
  readonly name: string;
}

/** A handler that takes names from what clients send, as nobody should. */
@Controller('careless')
class CarelessController {
  @Put('attribute')
  putAttribute(@CurrentSession() session: Session, @Body() { name }: Sent): void {
    session.setAttribute(name, 'kept');
  }

  @Put('unencodable')
  putUnencodable(@CurrentSession() session: Session, @Body() { name }: Sent): Promise<object> {
    return messageOf(session.update<unknown>('sent', () => ({ [name]: { deep: 1n } })));
  }

  @Put('unencodable-name')
  putUnencodableName(@CurrentSession() session: Session, @Body() { name }: Sent): Promise<object> {
    return messageOf(session.update(name, () => 1n));
  }

  @Put('interval')
  putInterval(@CurrentSession() session: Session, @Body() { name }: Sent): object {
    try {
      session.maxInactiveIntervalSeconds = name as unknown as number;
      return { stored: name };
    } catch (error) {
      return { message: (error as Error).message };
    }
  }

  @Get('attributes')
  readAttributes(@CurrentSession() session: Session): object {
    return session.attributeNames.map((name) => session.getAttribute(name) ?? 'none');
  }

  @Get('shown')
  show(@CurrentSession() session: Session): string {
    return JSON.stringify(inspect(session));
  }
}

async function messageOf(refused: PromiseLike<unknown>): Promise<object> {
  try {
    return { stored: await refused };
  } catch (error) {
    return { message: (error as Error).message };
  }
}

function expectShortLines(lines: readonly string[]): void {
  expect(lines).not.toEqual([]);
  for (const line of lines) {
    expect(line).not.toMatch(/[\p{C}\u2028\u2029]/u);
    expect(line).not.toMatch(/(^|[^\\]") audit/);
    expect(line.length).toBeLessThan(500);
  }
}

describe.each(PLATFORMS)('Names that a client has chosen, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);
  const logged: string[] = [];
  const logger = {
    warn: (message: string) => logged.push(message),
    error: (message: string) => logged.push(message),
  };

  const startCareless = (options: RedisSessionModuleOptions = {}) =>
    start({ logger, ...options }, { controllers: [CarelessController] });

  afterEach(() => {
    logged.length = 0;
  });

  it.each(['unencodable', 'unencodable-name', 'interval'])(
    'make no line of an error: %s',
    async (path) => {
      const { client } = await startCareless();
      for (const name of NAMES) {
        const answer = await client.put(`/careless/${path}`).send({ name });
        expectShortLines([(answer.body as { message: string }).message]);
      }
      expect(logged.join('')).not.toContain(LIE);
    },
  );

  it.each([
    ['cannot be decoded', {}],
    ['cannot be decrypted', { encryption: ENCRYPTION }],
  ])('make no line of the log when what is stored %s', async (_why, options) => {
    const { client } = await startCareless(options);
    for (const name of NAMES) {
      const put = await client.put('/careless/attribute').send({ name });
      const [key = ''] = await redis.client.keys(`${redis.namespace}:sessions:*`);
      await redis.client.hset(key, `sessionAttr:${name}`, '{"broken');
      const cookie = sessionCookieOf(put);
      expect((await client.get('/careless/attributes').set('Cookie', cookie)).body).toEqual([
        'none',
      ]);
      await redis.client.del(key);
    }
    expect(logged).toHaveLength(NAMES.length);
    expectShortLines(logged);
  });

  it('make no line of a session that is logged', async () => {
    const { client } = await startCareless();
    for (const name of NAMES) {
      const cookie = sessionCookieOf(await client.put('/careless/attribute').send({ name }));
      const { text } = await client.get('/careless/shown').set('Cookie', cookie);
      expectShortLines([JSON.parse(text) as string]);
    }
  });
});

class FailingHandler {
  @OnSessionEvent('created')
  fail({ attributes }: SessionEvent): void {
    throw Object.assign(new Error(LONG), { name: attributes.get('name') });
  }
}

describe.each(PLATFORMS)('What others say of a failure, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);
  const logged: string[] = [];
  const keep = (message: string) => logged.push(message);
  const logger = { warn: keep, error: keep };
  let proxy: LyingProxy;

  beforeEach(async () => {
    logged.length = 0;
    proxy = await startLyingProxy(Number(new URL(process.env['TEST_REDIS_URL'] ?? '').port));
  });

  afterEach(() => {
    proxy.cut();
    proxy.stop();
  });

  /** The start selects a database, which a server that lies can refuse. */
  const startBehindProxy = () => start({ logger, commandTimeoutMs: 1000, redis: `${proxy.url}/1` });

  it('forges no line of the log when Redis refuses a command', async () => {
    const { client } = await startBehindProxy();
    const cookie = sessionCookieOf(await client.put('/attributes').send({ a: 1 }));
    for (const sentence of SENTENCES) {
      proxy.answerOf = () => `-${sentence}\r\n`;
      await client.get('/session').set('Cookie', cookie).expect(503);
    }
    expect(logged.join()).toContain('Cannot load the session');
    expect(logged.join()).toContain('ERR ');
    expectShortLines(logged);
  });

  it.each(SENTENCES)(
    'forges no line of the log when the connection is lost (sentence %#)',
    async (sentence) => {
      await startBehindProxy();
      proxy.answerOf = (reply) => reply.toString().replaceAll('+OK', `-${sentence}`);
      proxy.cut();
      const told = /connection to Redis is lost: "?ERR /;
      await eventually(() => Promise.resolve(told.test(logged.join())));
      expectShortLines(logged);
    },
  );

  it.each(['once', 'broadcast'] as const)(
    'forges no line of the log when a handler of events fails (%s)',
    async (eventDelivery) => {
      const { client } = await start(
        {
          logger,
          repository: 'indexed',
          indexed: { eventDelivery, eventAttributes: ['name'] },
        },
        { providers: [FailingHandler] },
      );
      for (const name of NAMES) await client.put('/attributes').send({ name });
      const failures = () => logged.filter((line) => line.includes('a handler has failed'));
      await eventually(() => Promise.resolve(failures().length === NAMES.length));
      expectShortLines(logged);
    },
  );
});
