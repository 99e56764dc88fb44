import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Post, Req } from '@nestjs/common';
import { Redis } from 'ioredis';
import {
  CurrentSession,
  LoginService,
  nearCache,
  type RedisSessionModuleOptions,
  type Session,
} from 'nestjs-redis-session';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { createApp, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { Visitor } from '../../support/http/visitor.js';
import { startTcpProxy } from '../../support/faults/tcp-proxy.js';
import { eventually } from '../../support/waiting/eventually.js';
import { startRedis } from '../../support/redis/redis-server.js';

const KEY = Buffer.alloc(32, 1).toString('base64');
const CART = 'sessionAttr:cart';
const OTHER_KEY = Buffer.alloc(32, 2).toString('base64');
const minuteBuckets = {
  repository: 'indexed',
  indexed: { expirationStore: 'minute-buckets' },
} as const;
const modestBuckets = {
  repository: 'indexed',
  indexed: { expirationStore: 'minute-buckets', configuresNotifications: false },
} as const;
const cached = { features: [nearCache({ maxSessions: 10 })] };
const ADDRESS =
  'Check the option redis: the address, the password, and rediss:// if Redis wants TLS.';
const SPRING_READS =
  'must be left out when indexed.expirationStore is "minute-buckets", whose sessions Spring reads, too. Leave one out.';

@Controller()
class CartController {
  constructor(private readonly logins: LoginService) {}

  @Post('login')
  async login(@Req() request: object): Promise<string> {
    await this.logins.login(request, { username: 'kim' });
    return 'logged in';
  }

  @Post('cart')
  fill(@CurrentSession() session: Session): string {
    session.setAttribute('cart', ['tea']);
    return 'filled';
  }

  @Get('cart')
  cart(@CurrentSession() session: Session): object {
    return { cart: session.getAttribute('cart') ?? [] };
  }
}

let server: RedisServer;
let admin: Redis;
const log = new LoggedLines();

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});

afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

beforeEach(async () => {
  log.clear();
  await admin.flushall();
  await admin.call('ACL', 'SETUSER', 'kim', 'reset', 'on', '>right', '~*', '&*', '+@all');
  await admin.config('SET', 'notify-keyspace-events', '', 'maxmemory-policy', 'noeviction');
});

const urlOf = (user = 'kim:right'): string => `redis://${user}@127.0.0.1:${server.port}`;

/** Starts and stops. @returns the error at start, else 'started' */
async function outcomeOf(options: RedisSessionModuleOptions): Promise<string> {
  let app: INestApplication | undefined;
  try {
    app = await createApp('express', { log, options: { redis: urlOf(), logger: log, ...options } });
    await app.init();
    return 'started';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await app?.close();
  }
}

describe('The start', () => {
  /** Options, or a function where they name the server, which has not started yet. */
  type Given = RedisSessionModuleOptions | (() => RedisSessionModuleOptions);

  it.each<[string, Given, ...Given[]]>([
    [
      `Cannot reach Redis: the session store failed (WRONGPASS invalid username-password pair or user is disabled.). ${ADDRESS}`,
      () => ({ redis: urlOf('kim:wrong') }),
      {},
    ],
    [
      'Cannot use database 99 of Redis: ERR DB index is out of range. Choose one that this Redis has and its user may select.',
      () => ({ redis: `${urlOf()}/99` }),
      () => ({ redis: `${urlOf()}/1` }),
    ],
    [
      'durability must be left out on a Redis Cluster, whose masters would each need a connection of their own. Leave it out, or use one server or Sentinel.',
      { redis: { nodes: ['redis://127.0.0.1:1'] }, durability: { replicas: 1 } },
      { durability: { replicas: 1 } },
    ],
    [
      'encryption.indexKey must be given when repository is "indexed": it hides user names in the index. Set it to 32 random bytes in base64 that are no other key.',
      { repository: 'indexed', encryption: { keys: [KEY] } },
      { repository: 'indexed', encryption: { keys: [KEY], indexKey: OTHER_KEY } },
    ],
    [
      `encryption ${SPRING_READS}`,
      { ...minuteBuckets, encryption: { keys: [KEY], indexKey: OTHER_KEY } },
      minuteBuckets,
      { repository: 'indexed', encryption: { keys: [KEY], indexKey: OTHER_KEY } },
    ],
    [
      `hashIds ${SPRING_READS}`,
      { ...minuteBuckets, hashIds: true },
      minuteBuckets,
      { repository: 'indexed', hashIds: true },
    ],
  ])('is refused: %s', async (sentence, wrong, ...right) => {
    const outcome = (given: Given): Promise<string> =>
      outcomeOf(typeof given === 'function' ? given() : given);
    expect(await outcome(wrong)).toBe(sentence);
    for (const options of right) expect(await outcome(options)).toBe('started');
  });

  it('is refused where the near cache may not be told of changes, until the command is allowed', async () => {
    await admin.call('ACL', 'SETUSER', 'kim', '-client|tracking');
    const refusal = await outcomeOf(cached);
    expect(refusal).toMatch(
      /^nearCache must be left out with this Redis, which refuses CLIENT TRACKING \(NOPERM .+\)\. Leave it out, or allow the command\.$/,
    );
    expect(await outcomeOf({})).toBe('started');
    await admin.call('ACL', 'SETUSER', 'kim', '+client|tracking');
    expect(await outcomeOf(cached)).toBe('started');
  });

  it('is refused where CONFIG is refused, until the server is configured and the option says so', async () => {
    await admin.call('ACL', 'SETUSER', 'kim', '-config');
    expect(await outcomeOf(minuteBuckets)).toBe(
      'Cannot set notify-keyspace-events: Redis refuses the command CONFIG. Set it to "Egx" on the server, and indexed.configuresNotifications to false.',
    );
    await admin.config('SET', 'notify-keyspace-events', 'Egx');
    expect(await outcomeOf(modestBuckets)).toBe('started');
    expect(log.text).not.toContain('notify-keyspace-events');
  });

  it('warns of notifications that are off, until they are on', async () => {
    expect(await outcomeOf(modestBuckets)).toBe('started');
    expect(log.text).toContain(
      'Cannot hear at once of sessions that end: notify-keyspace-events lacks "Egx". Set it on the server. Until then the cleanup finds expired sessions, and nothing reports those that others delete.',
    );
    log.clear();
    await admin.config('SET', 'notify-keyspace-events', 'Egx');
    expect(await outcomeOf(modestBuckets)).toBe('started');
    expect(log.text).not.toContain('Cannot');
  });

  it('warns of a Redis that evicts sessions, until it does not', async () => {
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await outcomeOf({})).toBe('started');
    expect(log.text).toContain(
      'Redis may drop sessions before their time: its maxmemory-policy is "allkeys-lru". Users are then logged out early, and a user may have more sessions than allowed. Set it to "noeviction".',
    );
    log.clear();
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    expect(await outcomeOf({})).toBe('started');
    expect(log.text).not.toContain('maxmemory-policy');
  });
});

describe('A connection that breaks', () => {
  it('is told of once, and once when the library has connected again', async () => {
    const proxy = await startTcpProxy({ targetPort: server.port });
    const options = { redis: `redis://127.0.0.1:${proxy.port}`, logger: log };
    const app = await startApp('express', { log, options });
    try {
      await proxy.refuse();
      await eventually(() => Promise.resolve(log.text.includes('is lost')));
      await proxy.accept();
      await eventually(() => Promise.resolve(log.text.includes('is back')));
    } finally {
      await app.close();
      await proxy.refuse();
    }
    const told = log.lines.filter((line) => line.includes('The connection to Redis'));
    expect(told).toEqual([
      expect.stringMatching(
        /The connection to Redis is lost: .+\. The library connects again by itself\./,
      ),
      expect.stringContaining('The connection to Redis is back.'),
    ]);
  });
});

describe('A request', () => {
  let app: StartedApp;

  afterEach(() => app.close());

  const start = async (options: RedisSessionModuleOptions): Promise<Visitor> => {
    app = await startApp('express', {
      log,
      controllers: [CartController],
      options: { redis: server.url, logger: log, ...options },
    });
    return new Visitor(app.url);
  };
  const cartOf = async (visitor: Visitor): Promise<unknown> => (await visitor.get('/cart')).body;
  const keyOfSession = async (): Promise<string> =>
    (await admin.keys('nest:session:sessions:*'))[0] ?? '';
  const sealedCartOf = async (key: string): Promise<string> => (await admin.hget(key, CART)) ?? '';

  it('is answered with 503 when too few replicas have a login, and works when none is asked for', async () => {
    const durable = await start({ durability: { replicas: 1, timeoutMs: 100 } });
    expect((await durable.post('/login')).status).toBe(503);
    expect(log.text).toContain(
      'Cannot replicate the session: the session store failed (0 of 1 replicas had it within 100 ms). Check that the store is reachable and accepts writes.',
    );
    await app.close();
    expect((await (await start({})).post('/login')).status).toBe(201);
  });

  it.each<[string, (key: string) => Promise<unknown>]>([
    [
      'its field "creationTime" is missing or not a whole number',
      (key) => admin.hset(key, 'creationTime', 'x'),
    ],
    ['its key does not hold a hash', (key) => admin.set(key, 'x')],
  ])(
    'gets a new session when one cannot be read since %s, and one line for each request until the key is deleted',
    async (problem, corrupt) => {
      const visitor = await start({});
      await visitor.post('/cart');
      expect(await cartOf(visitor)).toEqual({ cart: ['tea'] });
      const key = await keyOfSession();
      await corrupt(key);
      expect(await cartOf(visitor)).toEqual({ cart: [] });
      expect(log.lines.filter((line) => line.includes('Cannot'))).toEqual([
        expect.stringContaining(
          `Cannot read a session: ${problem}. Delete the key; the client gets a new session.`,
        ),
      ]);
      await admin.del(key);
      log.clear();
      expect(await cartOf(visitor)).toEqual({ cart: [] });
      await visitor.post('/cart');
      expect(await cartOf(visitor)).toEqual({ cart: ['tea'] });
      expect(log.text).not.toContain('Cannot');
    },
  );

  it('cannot read an encrypted session when its key is gone, until the key is added', async () => {
    const writer = await start({ encryption: { keys: [KEY] } });
    await writer.post('/cart');
    const cookie = `SESSION=${await writer.cookie()}`;
    const read = async (options: RedisSessionModuleOptions): Promise<unknown> => {
      await app.close();
      log.clear();
      await start(options);
      return (await app.client.get('/cart').set('Cookie', cookie)).body;
    };
    expect(await read({ encryption: { keys: [OTHER_KEY] } })).toEqual({ cart: [] });
    expect(log.text).toContain(
      'Cannot read a session: it is not encrypted, its key is not in encryption.keys, or it was copied from another session. Add the key, or delete the session; the client gets a new one.',
    );
    expect(await read({ encryption: { keys: [OTHER_KEY, KEY] } })).toEqual({ cart: ['tea'] });
    expect(log.text).not.toContain('Cannot');
  });

  it.each<[string, (sealed: string) => string | Promise<string>]>([
    ['was changed', (sealed) => `${sealed.slice(0, -4)}AAAA`],
    [
      'was copied from another session',
      async () => {
        await admin.flushall();
        const other = new Visitor(app.url);
        await other.post('/cart');
        return sealedCartOf(await keyOfSession());
      },
    ],
  ])(
    'finds no attribute that %s, and one line for each request, until it is removed',
    async (_, forge) => {
      const visitor = await start({ encryption: { keys: [KEY] } });
      await visitor.post('/cart');
      const key = await keyOfSession();
      const fields = await admin.hgetall(key);
      const cart = await forge(await sealedCartOf(key));
      await admin.hset(key, { ...fields, [CART]: cart });
      expect(await cartOf(visitor)).toEqual({ cart: [] });
      expect(log.lines.filter((line) => line.includes('Cannot'))).toEqual([
        expect.stringContaining(
          'Cannot decrypt the session attribute "cart": it was changed, or copied from another place. Remove it.',
        ),
      ]);
      log.clear();
      await admin.hdel(key, CART);
      expect(await cartOf(visitor)).toEqual({ cart: [] });
      expect(log.text).not.toContain('Cannot');
    },
  );
});
