import { setTimeout as delay } from 'node:timers/promises';
import {
  type ArgumentsHost,
  Body,
  Catch,
  Controller,
  type ExceptionFilter,
  Injectable,
  Module,
  Post,
  Req,
  UseFilters,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import {
  Authenticated,
  CurrentSecurityContext,
  CurrentSession,
  CurrentUser,
  LoginService,
  LogoutService,
  RedisSessionModule,
  RequireAuthorities,
  SecuredMessages,
  type SecurityContext,
  SecurityContextHolder,
  SessionOptionError,
} from 'nestjs-redis-session';
import { Visitor } from '../../../tools/demo/visitor.mjs';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
const ANSWER_WITHIN_MS = 20_000;

@Injectable()
class NameService {
  async currentName(): Promise<string> {
    await delay(1);
    return SecurityContextHolder.getAuthentication()?.name ?? 'nobody';
  }
}

/** Without it Nest tells the client of an internal error. */
@Catch(SessionOptionError)
class SessionOptionFilter implements ExceptionFilter {
  catch({ message }: SessionOptionError, host: ArgumentsHost): void {
    host.switchToWs().getClient<Socket>().emit('exception', message);
  }
}

@SecuredMessages()
@WebSocketGateway()
class ChatGateway {
  constructor(private readonly names: NameService) {}

  @SubscribeMessage('say')
  @Authenticated()
  async say(
    @MessageBody() text: string,
    @CurrentUser('name') user: string,
    @CurrentSecurityContext() context: SecurityContext,
  ): Promise<object> {
    const inContext = context.authentication?.name;
    return { text, user, inContext, inService: await this.names.currentName() };
  }

  @SubscribeMessage('ban')
  @RequireAuthorities('ADMIN')
  ban(): string {
    return 'banned';
  }

  @SubscribeMessage('cart')
  @UseFilters(SessionOptionFilter)
  cart(@CurrentSession() session: object): object {
    return session;
  }

  @SubscribeMessage('watch')
  async watch(): Promise<object> {
    return { inService: await this.names.currentName() };
  }
}

@Controller()
class LoginController {
  constructor(
    private readonly loginService: LoginService,
    private readonly logoutService: LogoutService,
  ) {}

  @Post('login')
  async login(@Req() request: object, @Body() user: object): Promise<void> {
    await this.loginService.login(request, user);
  }

  @Post('logout')
  logout(@Req() request: object): Promise<void> {
    return this.logoutService.logout(request);
  }
}

@Module({
  imports: [
    RedisSessionModule.forRootAsync({
      useFactory: () => ({ redis: process.env['TEST_REDIS_URL'], namespace: redis.namespace }),
    }),
  ],
  controllers: [LoginController],
  providers: [ChatGateway, NameService],
})
class ChatModule {}

describe.each(PLATFORMS)('a gateway of socket.io with @SecuredMessages(), on %s', (platform) => {
  let app: StartedApp;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    app = await startApp(platform, { pod: 'pod-a', imports: [ChatModule] });
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.disconnect();
  });

  afterAll(() => app.close());

  async function login(name: string, authorities: string[] = []): Promise<Visitor> {
    const visitor = new Visitor(app.url);
    await visitor.postJson('/login', { name, authorities });
    return visitor;
  }

  async function connect(visitor: Visitor): Promise<Socket> {
    const extraHeaders = { cookie: await visitor.cookie() };
    const socket = io(app.url, { extraHeaders, transports: ['websocket'], forceNew: true });
    sockets.push(socket);
    return socket;
  }

  function ask(socket: Socket, event: string, data: unknown = {}): Promise<unknown> {
    return socket.timeout(ANSWER_WITHIN_MS).emitWithAck(event, data) as Promise<unknown>;
  }

  function refusalOf(socket: Socket, event: string): Promise<unknown> {
    return new Promise((resolve) => {
      socket.once('exception', resolve);
      socket.emit(event, {});
    });
  }

  it('knows the user by the cookie of the handshake, in decorators and in services', async () => {
    const kim = await connect(await login('kim'));
    expect(await ask(kim, 'say', 'hello')).toEqual({
      text: 'hello',
      user: 'kim',
      inContext: 'kim',
      inService: 'kim',
    });
  });

  it('tells a visitor to log in, by the event `exception`', async () => {
    const socket = await connect(new Visitor(app.url));
    expect(await refusalOf(socket, 'say')).toEqual({
      status: 'error',
      code: 'UNAUTHENTICATED',
      message: 'Log in to use this resource.',
      cause: { pattern: 'say' },
    });
    expect(await ask(socket, 'watch')).toEqual({ inService: 'nobody' });
  });

  it('refuses what the user may not do', async () => {
    const kim = await connect(await login('kim', ['USER']));
    expect(await refusalOf(kim, 'ban')).toMatchObject({ code: 'FORBIDDEN' });
    const admin = await connect(await login('admin', ['ADMIN']));
    expect(await ask(admin, 'ban')).toBe('banned');
  });

  it('says that messages have no session, and what they have instead', async () => {
    const kim = await connect(await login('kim'));
    expect(await refusalOf(kim, 'cart')).toBe(
      'Cannot use the session in ChatGateway.cart: sessions belong to HTTP requests, and this handles messages. Use @CurrentUser(), which needs @SecuredMessages() on the class, or read a session by its id from the injected SessionRepository.',
    );
  });

  it('refuses messages of a socket that is still open after the logout', async () => {
    const visitor = await login('kim');
    const socket = await connect(visitor);
    expect(await ask(socket, 'say', '')).toMatchObject({ user: 'kim' });
    await visitor.postJson('/logout', {});
    expect(await refusalOf(socket, 'say')).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('keeps apart 200 messages of 20 users that are handled in turns', async () => {
    const users = Array.from({ length: 20 }, (_, index) => `user-${index}`);
    const clients = await Promise.all(users.map(async (user) => connect(await login(user))));
    const asked = Array.from({ length: 200 }, (_, index) => index % users.length);
    const answers = await Promise.all(asked.map((index) => ask(clients[index] as Socket, 'watch')));
    expect(answers).toEqual(asked.map((index) => ({ inService: users[index] })));
  });
});
