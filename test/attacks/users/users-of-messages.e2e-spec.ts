import { Controller, type INestApplication } from '@nestjs/common';
import {
  type ClientProxy,
  ClientProxyFactory,
  MessagePattern,
  Transport,
} from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import {
  type Authentication,
  FullyAuthenticated,
  RequireAuthorities,
  SecuredMessages,
  type SecurityOptions,
} from 'nestjs-redis-session';
import { TestClock } from 'nestjs-redis-session/testing';
import { firstValueFrom } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import { LOGIN_PARTS, PASSWORD } from '../../support/apps/login-parts.js';
import { PLATFORMS, type StartedApp, useApps } from '../../support/apps/start-app.js';
import { Visitor } from '../../support/http/visitor.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const ANSWER_WITHIN_MS = 20_000;

@SecuredMessages()
@WebSocketGateway()
class BankGateway {
  @SubscribeMessage('transfer')
  @FullyAuthenticated()
  transfer(): string {
    return 'transferred';
  }

  @SubscribeMessage('close-account')
  @RequireAuthorities('ADMIN')
  closeAccount(): string {
    return 'closed';
  }
}

@Controller()
@SecuredMessages()
class BankController {
  @MessagePattern('transfer')
  @FullyAuthenticated()
  transfer(): string {
    return 'transferred';
  }

  @MessagePattern('close-account')
  @RequireAuthorities('ADMIN')
  closeAccount(): string {
    return 'closed';
  }
}

interface Refusal {
  readonly code: string;
}

describe.each(PLATFORMS)('Messages of somebody who logged in long ago, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, LOGIN_PARTS);
  let clock: TestClock;
  let authorities: readonly string[];
  let stop: (() => unknown)[];

  beforeEach(() => {
    clock = new TestClock();
    authorities = ['ADMIN'];
    stop = [];
  });
  afterEach(() => Promise.all(stop.map((each) => each())));

  const startBank = async (
    security: SecurityOptions,
    prepare?: (app: INestApplication) => unknown,
  ): Promise<StartedApp> =>
    start(
      { clock: clock.now, maxInactiveIntervalSeconds: 36_000, security },
      { controllers: [BankController], providers: [BankGateway], prepare },
    );

  function openWith(url: string, cookie: string): Socket {
    const extraHeaders = { cookie };
    const socket = io(url, { extraHeaders, transports: ['websocket'], forceNew: true });
    stop.push(() => socket.disconnect());
    return socket;
  }

  const logIn = async (security: SecurityOptions): Promise<Visitor> => {
    const { url } = await startBank(security);
    const visitor = new Visitor(url);
    await visitor.post('/login', { username: 'admin', password: PASSWORD });
    return visitor;
  };
  const cookieOf = async (visitor: Visitor) => `SESSION=${(await visitor.cookie()) ?? ''}`;

  /** A socket of the browser in which the administrator has logged in. */
  async function openSocket(security: SecurityOptions): Promise<Socket> {
    const visitor = await logIn(security);
    return openWith(visitor.url, await cookieOf(visitor));
  }

  function say(socket: Socket, event: string): Promise<unknown> {
    const refused = new Promise((resolve) => {
      socket.once('exception', ({ code }: Refusal) => resolve(code));
    });
    const answered = socket.timeout(ANSWER_WITHIN_MS).emitWithAck(event, {}) as Promise<unknown>;
    return Promise.race([refused, answered]);
  }

  /** A client of the TCP microservice, whose messages a trusted gateway has signed when the administrator logged in. */
  async function openTcp(security: SecurityOptions): Promise<ClientProxy> {
    const options = { host: '127.0.0.1', port: await getPort({ host: '127.0.0.1' }) };
    const authenticatedAt = clock.nowMs;
    const senderOf = (): Authentication => {
      const principal = { name: 'admin' };
      return { name: 'admin', principal, authorities, kind: 'full', authenticatedAt };
    };
    await startBank({ rpcAuthentication: senderOf, ...security }, async (app) => {
      app.connectMicroservice({ transport: Transport.TCP, options });
      await app.startAllMicroservices();
    });
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options });
    stop.push(() => client.close());
    return client;
  }

  const send = (client: ClientProxy, pattern: string): Promise<unknown> =>
    firstValueFrom(client.send<unknown>(pattern, {})).catch(
      (error: unknown) => (error as Refusal).code,
    );

  const ages = { fullAuthenticationSeconds: 600 };

  it('open nothing sensitive by an open socket', async () => {
    const socket = await openSocket(ages);
    clock.advanceSeconds(599);
    expect(await say(socket, 'transfer')).toBe('transferred');
    clock.advanceSeconds(1);
    expect(await say(socket, 'transfer')).toBe('UNAUTHENTICATED');
    expect(await say(socket, 'close-account')).toBe('closed');
  });

  it('do nothing by an open socket once the authority is revoked', async () => {
    const socket = await openSocket({ loadPrincipal: () => ({ username: 'admin', authorities }) });
    expect(await say(socket, 'close-account')).toBe('closed');
    authorities = ['USER'];
    expect(await say(socket, 'close-account')).toBe('FORBIDDEN');
    authorities = ['ADMIN'];
    expect(await say(socket, 'close-account')).toBe('closed');
  });

  it('do nothing by an open socket once the user is gone', async () => {
    const users = ['admin'];
    const socket = await openSocket({ loadPrincipal: () => users[0] });
    expect(await say(socket, 'transfer')).toBe('transferred');
    users.pop();
    expect(await say(socket, 'transfer')).toBe('UNAUTHENTICATED');
  });

  it.each([
    ['of a session that has ended', (cookie: string) => cookie],
    ['that is cut', (cookie: string) => cookie.slice(0, -1)],
    ['of 10 kB', () => `SESSION=${'a'.repeat(10_000)}`],
    ['of another name', (cookie: string) => `x${cookie}`],
  ])('do nothing by a socket that is opened with a cookie %s', async (_which, change) => {
    const admin = await logIn({ logout: {} });
    const cookie = await cookieOf(admin);
    expect(await say(openWith(admin.url, cookie), 'transfer')).toBe('transferred');
    if (change(cookie) === cookie) await admin.post('/logout');
    const socket = openWith(admin.url, change(cookie));
    expect(await say(socket, 'transfer')).toBe('UNAUTHENTICATED');
    expect(await say(socket, 'close-account')).toBe('UNAUTHENTICATED');
  });

  it('open nothing sensitive in a microservice', async () => {
    const client = await openTcp(ages);
    clock.advanceSeconds(599);
    expect(await send(client, 'transfer')).toBe('transferred');
    clock.advanceSeconds(1);
    expect(await send(client, 'transfer')).toBe('UNAUTHENTICATED');
    expect(await send(client, 'close-account')).toBe('closed');
  });

  it('stay what `rpcAuthentication` says when logins do not age', async () => {
    const client = await openTcp({});
    clock.advanceSeconds(36_000);
    expect(await send(client, 'transfer')).toBe('transferred');
  });

  it('do nothing in a microservice once `rpcAuthentication` gives the authority no more', async () => {
    const client = await openTcp({});
    expect(await send(client, 'close-account')).toBe('closed');
    authorities = ['USER'];
    expect(await send(client, 'close-account')).toBe('FORBIDDEN');
  });
});
