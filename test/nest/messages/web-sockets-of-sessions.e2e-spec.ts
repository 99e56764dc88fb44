import { once } from 'node:events';
import { Body, Controller, type INestApplication, Post, Req } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  LoginService,
  LogoutService,
  type RedisSessionModuleOptions,
  SecuredMessages,
  type Session,
  SessionRegistry,
  SessionRepository,
} from 'nestjs-redis-session';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { eventually } from '../../support/waiting/eventually.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { Visitor } from '../../support/http/visitor.js';

@SecuredMessages()
@WebSocketGateway()
class ChatGateway {
  connections = 0;

  handleConnection(): void {
    this.connections++;
  }

  @SubscribeMessage('who')
  @Authenticated()
  who(@CurrentUser('name') name: string): object {
    return { event: 'who', data: name };
  }
}

/** On the same sockets. */
@SecuredMessages()
@WebSocketGateway()
class OtherGateway {
  @SubscribeMessage('other')
  other(): void {
    // Nothing to do.
  }
}

@Controller()
class LoginController {
  constructor(
    private readonly loginService: LoginService,
    private readonly logoutService: LogoutService,
    private readonly registry: SessionRegistry,
  ) {}

  @Post('login')
  async login(@Req() request: object, @Body() user: object): Promise<void> {
    await this.loginService.login(request, user);
  }

  @Post('visit')
  visit(@CurrentSession() session: Session): void {
    session.setAttribute<boolean>('visited', true);
  }

  @Post('change-id')
  @Authenticated()
  changeId(@CurrentSession() session: Session): void {
    session.changeSessionId();
  }

  @Post('logout')
  logout(@Req() request: object): Promise<void> {
    return this.logoutService.logout(request);
  }

  @Post('sign-out-everywhere')
  async signOutEverywhere(@CurrentUser('name') name: string): Promise<void> {
    await this.registry.expireAll(name);
  }
}

const redis = useTestRedis();
const KIM = { name: 'kim', authorities: [] };
const ANSWER_WITHIN_MS = 20_000;

const optionsOf = (options: Partial<RedisSessionModuleOptions>): RedisSessionModuleOptions => ({
  redis: process.env['TEST_REDIS_URL'],
  namespace: redis.namespace,
  repository: 'indexed',
  webSockets: { closeWithSession: true },
  ...options,
});

let apps: StartedApp[] = [];
let opened: { close(): void }[] = [];
let nowMs: number;

beforeEach(() => {
  nowMs = Date.now();
});

afterEach(async () => {
  for (const socket of opened) socket.close();
  await Promise.all(apps.map((app) => app.close()));
  opened = [];
  apps = [];
  const keys = await redis.allKeys();
  if (keys.length > 0) await redis.client.del(...keys);
});

async function start(
  platform: (typeof PLATFORMS)[number],
  options: Partial<RedisSessionModuleOptions> = {},
  prepare?: (app: INestApplication) => void,
): Promise<StartedApp> {
  const app = await startApp(platform, {
    controllers: [LoginController],
    options: optionsOf({ clock: () => nowMs, ...options }),
    ...(prepare ? { prepare } : {}),
    providers: [ChatGateway, OtherGateway],
  });
  apps.push(app);
  return app;
}

async function logIn(app: StartedApp, user = KIM): Promise<Visitor> {
  const visitor = new Visitor(app.url);
  expect((await visitor.post('/login', user)).status).toBe(201);
  return visitor;
}

const cookieOf = async (visitor: Visitor) => `SESSION=${(await visitor.cookie()) ?? ''}`;

const next = (socket: Socket, event: string) =>
  new Promise<unknown>((resolve) => socket.once(event, resolve));

/** A socket of the browser of `visitor`; `ended` is what it is told before it is disconnected. */
async function connect(
  app: StartedApp,
  visitor: Visitor,
): Promise<{ socket: Socket; ended: Promise<unknown[]> }> {
  const cookie = await cookieOf(visitor);
  const socket = io(app.url, {
    extraHeaders: { cookie },
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  });
  opened.push(socket);
  const told: unknown[] = [];
  socket.on('session-ended', (data) => told.push(data));
  const ended = next(socket, 'disconnect').then(() => told);
  await next(socket, 'connect');
  return { socket, ended };
}

async function who(socket: Socket): Promise<unknown> {
  const answer = Promise.race([next(socket, 'who'), next(socket, 'exception')]);
  socket.emit('who');
  const data = (await answer) as string | { code: string };
  return typeof data === 'string' ? data : data.code;
}

const SETUPS = [
  { platform: 'express', hashIds: false },
  { platform: 'fastify', hashIds: false },
  { platform: 'fastify', hashIds: true },
] as const;

describe.each(SETUPS)('the sockets of a session on $platform, hashIds: $hashIds', (setup) => {
  const { platform, hashIds } = setup;

  it('are disconnected on every replica when the session ends, and told why', async () => {
    const [a, b] = [await start(platform, { hashIds }), await start(platform, { hashIds })];
    const [kim, lee] = [await logIn(a), await logIn(a, { name: 'lee', authorities: [] })];
    const sockets = [await connect(a, kim), await connect(b, kim), await connect(b, kim)];
    const other = await connect(b, lee);
    await kim.post('/logout');
    for (const { ended } of sockets) expect(await ended).toEqual([{ reason: 'session-ended' }]);
    expect(await who(other.socket)).toBe('lee');
    expect(b.app.get(ChatGateway).connections).toBe(3);
  });

  it('are told that somebody else has signed them out', async () => {
    const [a, b] = [await start(platform, { hashIds }), await start(platform, { hashIds })];
    const [here, there] = [await logIn(a), await logIn(b)];
    const { ended } = await connect(b, there);
    await here.post('/sign-out-everywhere');
    expect(await ended).toEqual([{ reason: 'signed-out' }]);
  });

  it('follow the session when its id changes, and end with it', async () => {
    const [a, b] = [await start(platform, { hashIds }), await start(platform, { hashIds })];
    const kim = await logIn(a);
    const { socket, ended } = await connect(b, kim);
    await kim.post('/change-id');
    await eventually(async () => (await who(socket)) === 'kim');
    await kim.post('/logout');
    expect(await ended).toEqual([{ reason: 'session-ended' }]);
  });

  it('do not follow it into a login: they may be of somebody who knew the earlier id', async () => {
    const [a, b] = [await start(platform, { hashIds }), await start(platform, { hashIds })];
    const victim = new Visitor(a.url);
    await victim.post('/visit');
    const { socket, ended } = await connect(b, victim);
    expect(await who(socket)).toBe('UNAUTHENTICATED');
    await victim.post('/login', KIM);
    expect(await ended).toEqual([{ reason: 'session-changed' }]);

    const again = await connect(b, victim);
    nowMs += 1000;
    await victim.post('/login', KIM);
    expect(await again.ended).toEqual([{ reason: 'session-changed' }]);
  });

  it('are closed when nobody has used the session for too long', async () => {
    const app = await start(platform, { hashIds });
    const { ended } = await connect(app, await logIn(app));
    nowMs += 1_800_000;
    expect(await ended).toEqual([{ reason: 'session-ended' }]);
  });
});

describe('sockets without a session', () => {
  it('stay open', async () => {
    const app = await start('express');
    const { socket } = await connect(app, new Visitor(app.url));
    const kim = await logIn(app);
    const { ended } = await connect(app, kim);
    await kim.post('/logout');
    await ended;
    expect(await who(socket)).toBe('UNAUTHENTICATED');
  });
});

describe('without closeWithSession', () => {
  it('a socket stays open and its messages are refused', async () => {
    const app = await start('express', { webSockets: {} });
    const kim = await logIn(app);
    const { socket } = await connect(app, kim);
    await kim.post('/logout');
    expect(await who(socket)).toBe('UNAUTHENTICATED');
    expect(socket.connected).toBe(true);
  });

  it('a message is refused once the credentials have changed', async () => {
    let stamp = 'first';
    const security = { credentialStamp: () => stamp, loadPrincipal: () => KIM };
    const app = await start('express', { webSockets: {}, security });
    const kim = await logIn(app);
    const { socket } = await connect(app, kim);
    expect(await who(socket)).toBe('kim');
    stamp = 'second';
    expect(await who(socket)).toBe('UNAUTHENTICATED');
    expect(await redis.client.exists(redis.keys.session((await kim.cookie()) ?? ''))).toBe(0);
  });

  it.each([
    [0, true],
    [600, false],
    [-1, false],
  ])(
    'with keepAliveSeconds %d, a second message after 5 minutes keeps the session alive: %s',
    async (keepAliveSeconds, isAlive) => {
      const app = await start('express', { webSockets: { keepAliveSeconds } });
      const kim = await logIn(app);
      const { socket } = await connect(app, kim);
      expect(await who(socket)).toBe('kim');
      nowMs += 300_000;
      expect(await who(socket)).toBe('kim');
      nowMs += 1_600_000;
      expect(await who(socket)).toBe(isAlive ? 'kim' : 'UNAUTHENTICATED');
    },
  );

  it('counts a message again once the interval is over', async () => {
    const app = await start('express', { webSockets: { keepAliveSeconds: 600 } });
    const { socket } = await connect(app, await logIn(app));
    for (let minute = 0; minute < 60; minute += 10) {
      expect(await who(socket)).toBe('kim');
      nowMs += 600_000;
    }
  });
});

describe('a gateway of ws', () => {
  const withWs = (app: INestApplication) => app.useWebSocketAdapter(new WsAdapter(app));
  const connectTo = async (app: StartedApp, visitor: Visitor) => {
    const cookie = await cookieOf(visitor);
    const socket = new WebSocket(app.url.replace('http', 'ws'), { headers: { cookie } });
    opened.push(socket);
    await once(socket, 'open');
    return socket;
  };
  const ask = async (socket: WebSocket) => {
    socket.send(JSON.stringify({ event: 'who', data: {} }));
    const [data] = (await once(socket, 'message', {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })) as [Buffer];
    return JSON.parse(data.toString()) as unknown;
  };

  it.each(PLATFORMS)(
    'knows the user, and closes with 1008 on every replica, on %s',
    async (platform) => {
      const a = await start(platform, {}, withWs);
      const b = await start(platform, {}, withWs);
      const kim = await logIn(a);
      const sockets = [await connectTo(a, kim), await connectTo(b, kim)];
      for (const socket of sockets)
        expect(await ask(socket)).toEqual({ event: 'who', data: 'kim' });
      const closed = sockets.map((socket) => once(socket, 'close'));
      await kim.post('/logout');
      for (const [code, reason] of (await Promise.all(closed)) as [number, Buffer][])
        expect([code, reason.toString()]).toEqual([1008, 'session-ended']);
    },
  );

  it('closes a socket whose session cannot be read, says so once, and takes it again afterwards', async () => {
    const told: string[] = [];
    const warn = (line: string) => void told.push(line);
    const app = await start('express', { logger: { warn, error: warn } }, withWs);
    const kim = await logIn(app);
    const repository = app.app.get<SessionRepository>(SessionRepository);
    const findById = repository.findById.bind(repository);
    repository.findById = () => Promise.reject(new Error('out of order'));
    const refused = await connectTo(app, kim);
    const [code, reason] = (await once(refused, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1008, 'session-unavailable']);
    expect(told.filter((line) => line.startsWith('Cannot'))).toEqual([
      'Cannot read the session of a WebSocket: the store failed. The socket is closed; its client can connect again.',
    ]);
    repository.findById = findById;
    expect(await ask(await connectTo(app, kim))).toEqual({ event: 'who', data: 'kim' });
  });
});

describe('webSockets', () => {
  it.each([
    [
      { repository: 'default' },
      'webSockets.closeWithSession must be false unless repository is "indexed", got true.',
    ],
    [
      { webSockets: { keepAliveSeconds: -2 } },
      'webSockets.keepAliveSeconds must be -1 (never) or an integer that is not negative, got -2.',
    ],
  ] as const)('refuses %j at start', async (options, message) => {
    await expect(start('express', options)).rejects.toThrow(message);
  });
});
