import { nearCache } from 'nestjs-redis-session';
import { migrateFrom } from 'nestjs-redis-session/migration';
import { springSession } from 'nestjs-redis-session/spring';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, HttpCode, Injectable, Post, Req } from '@nestjs/common';
import { Redis } from 'ioredis';
import {
  CurrentSession,
  CurrentUser,
  LoginService,
  OnSessionEvent,
  type RedisSessionModuleOptions,
  type Session,
  type SessionEvent,
  SessionRegistry,
} from 'nestjs-redis-session';
import { readFileSync } from 'node:fs';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';
import { eventually } from '../../support/waiting/eventually.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { Visitor } from '../../support/http/visitor.js';

const DOCUMENT = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');

/** The commands of docs/security.md below a comment, as their words. */
function rightsFor(comment: string): string[][] {
  const [, block] = DOCUMENT.split(`\n# ${comment}\n`);
  if (block === undefined) throw new Error(`docs/security.md has no rights for: ${comment}`);
  const [lines = ''] = block.split(/\n\n|\n```/, 1);
  return lines.split('\n').map((line) => line.split(' ').slice(1));
}

@Controller()
class CartController {
  constructor(private readonly loginService: LoginService) {}

  @Post('cart')
  @HttpCode(200)
  async add(@CurrentSession() session: Session): Promise<void> {
    await session.update<number>('count', (count = 0) => count + 1);
  }

  @Post('rename')
  @HttpCode(200)
  async rename(@Req() request: object, @CurrentUser() user: object): Promise<void> {
    await this.loginService.login(request, { ...user, username: 'kim-2' });
  }
}

@Injectable()
class Listener {
  readonly seen: string[] = [];

  @OnSessionEvent('created', 'deleted', 'expired')
  note({ type }: SessionEvent): void {
    this.seen.push(type);
  }
}

type Options = Omit<RedisSessionModuleOptions, 'redis'>;
type Case = readonly [rights: readonly string[], options: Options];

const INDEXED = "repository: 'indexed'";
const ONCE = "indexed.eventDelivery: 'once'";
const BROADCAST = "indexed.eventDelivery: 'broadcast', and webSockets.closeWithSession";
const BUCKETS = "indexed.expirationStore: 'minute-buckets'";
const MIGRATION = "migrateFrom(); the key pattern is that of the other library's keyPrefix";

const DURABILITY = 'durability';

const SPRING = 'springSession()';
const SPRING_INDEXED = "springSession() with repository: 'indexed'";

const CASES: Case[] = [
  [[], {}],
  [[], { touchIntervalSeconds: 60, absoluteTimeoutSeconds: 3600 }],
  [['nearCache()'], { features: [nearCache({ maxSessions: 10 })] }],
  [[DURABILITY], { durability: { replicas: 1 } }],
  [[INDEXED], { repository: 'indexed', indexed: { maximumSessions: 1 } }],
  [[INDEXED], { repository: 'indexed', touchIntervalSeconds: 60 }],
  [[INDEXED, ONCE], { repository: 'indexed', indexed: { eventDelivery: 'once' } }],
  [[INDEXED, BROADCAST], { repository: 'indexed', indexed: { eventDelivery: 'broadcast' } }],
  [
    [INDEXED, ONCE, BUCKETS],
    {
      repository: 'indexed',
      indexed: { eventDelivery: 'once', expirationStore: 'minute-buckets' },
    },
  ],
  [
    [MIGRATION],
    {
      features: [
        migrateFrom({ from: 'express-session', phase: 'share', secrets: ['s'.repeat(32)] }),
      ],
    },
  ],
  [
    [MIGRATION],
    {
      features: [
        migrateFrom({ from: 'express-session', phase: 'move', secrets: ['s'.repeat(32)] }),
      ],
    },
  ],
  [[SPRING], { features: [springSession()] }],
  [
    [SPRING, SPRING_INDEXED, ONCE],
    {
      features: [springSession()],
      repository: 'indexed',
      indexed: { eventDelivery: 'once', maximumSessions: 1 },
    },
  ],
];

describe('a user of Redis with the rights of docs/security.md', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let replica: typeof server;
  let admin: Redis;
  let app: StartedApp | undefined;

  beforeAll(async () => {
    server = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
    replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(server.port)] });
    admin = new Redis(server.url);
    await eventually(async () => (await admin.info('replication')).includes('state=online'));
  });

  afterAll(async () => {
    await admin.quit();
    await replica.stop();
    await server.stop();
  });

  beforeEach(async () => {
    await admin.flushall();
    await admin.acl('LOG', 'RESET');
    await admin.call('ACL', 'DELUSER', 'app');
  });

  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  const start = async (rights: readonly string[], options: Options) => {
    for (const right of ['every application', ...rights]) {
      for (const words of rightsFor(right)) await admin.call('ACL', ...words);
    }
    app = await startApp('express', {
      controllers: [...LOGIN_PARTS.controllers, CartController],
      providers: [...LOGIN_PARTS.providers, ...(options.indexed?.eventDelivery ? [Listener] : [])],
      options: {
        redis: { host: '127.0.0.1', port: server.port, username: 'app', password: 'secret' },
        security: { loginPage: '/login', logout: {} },
        ...options,
      },
    });
    return app;
  };
  const refusals = async () => ((await admin.acl('LOG')) as unknown[][]).map(String);

  it.each(CASES)('may log in, read, change and log out with %j for %j', async (rights, options) => {
    const { url, app: nest } = await start(rights, options);
    const visitor = new Visitor(url);
    const statuses = [
      (await visitor.open('/members')).status,
      (await visitor.post('/login', KIM)).status,
      (await visitor.get('/members')).status,
      (await visitor.post('/cart')).status,
      (await visitor.post('/rename')).status,
      (await visitor.get('/own-cart')).status,
    ];
    expect(statuses).toEqual([302, 200, 200, 200, 200, 200]);
    if (options.repository === 'indexed') {
      const registry = nest.get(SessionRegistry);
      expect((await registry.list('kim-2')).total).toBe(1);
      for (let login = 0; login < 2; login++)
        await new Visitor(url).post('/login', { ...KIM, username: 'lee' });
      const hasLimit = options.indexed?.maximumSessions === 1;
      expect(await registry.expireAll('lee')).toBe(hasLimit ? 1 : 2);
    }
    expect((await visitor.post('/logout')).status).toBe(204);
    expect((await visitor.get('/members')).status).toBe(401);
    expect(await refusals()).toEqual([]);
  });

  it.each(CASES.filter(([, { indexed }]) => indexed?.eventDelivery))(
    'hears of sessions that expire with %j for %j',
    async (rights, options) => {
      const { url, app: nest } = await start(rights, {
        ...options,
        maxInactiveIntervalSeconds: 1,
      });
      await new Visitor(url).post('/login', KIM);
      await eventually(() => Promise.resolve(nest.get(Listener).seen.includes('expired')));
      expect(await refusals()).toEqual([]);
    },
  );

  it('may touch no other key', async () => {
    const { url } = await start([], { namespace: 'other' });
    expect((await new Visitor(url).post('/login', KIM)).status).toBe(503);
  });
});
