import { setTimeout as delay } from 'node:timers/promises';
import {
  Catch,
  Controller,
  type ExecutionContext,
  Module,
  type RpcExceptionFilter,
  UseFilters,
} from '@nestjs/common';
import {
  type ClientProxy,
  ClientProxyFactory,
  MessagePattern,
  Payload,
  Transport,
} from '@nestjs/microservices';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { firstValueFrom, type Observable, throwError } from 'rxjs';
import {
  Authenticated,
  type Authentication,
  CurrentSession,
  CurrentUser,
  RedisSessionModule,
  RequireAuthorities,
  SecuredMessages,
  SecurityContextHolder,
  SessionOptionError,
} from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';

interface Order {
  readonly from?: { readonly name: string; readonly authorities?: string[] };
}

/** Without it Nest tells the client of an internal error. */
@Catch(SessionOptionError)
class SessionOptionFilter implements RpcExceptionFilter<SessionOptionError> {
  catch({ message }: SessionOptionError): Observable<never> {
    return throwError(() => message);
  }
}

@Controller()
@SecuredMessages()
class OrderController {
  @MessagePattern('order')
  @Authenticated()
  async order(@Payload() _order: Order, @CurrentUser('name') user: string): Promise<object> {
    await delay(1);
    return { user, inHolder: SecurityContextHolder.getAuthentication()?.name };
  }

  @MessagePattern('cart')
  @UseFilters(SessionOptionFilter)
  cart(@CurrentSession() session: object): object {
    return session;
  }

  @MessagePattern('refund')
  @RequireAuthorities('ADMIN')
  refund(): string {
    return 'refunded';
  }
}

/** As if the message had been signed by a gateway that is trusted. */
function senderOf(context: ExecutionContext): Authentication | undefined {
  const { from } = context.switchToRpc().getData<Order>();
  if (!from) return undefined;
  const { name, authorities = [] } = from;
  return { name, authorities, principal: { name }, kind: 'full', authenticatedAt: Date.now() };
}

/** Relies on the global guard alone. */
@Controller()
class ReportController {
  @MessagePattern('report')
  @Authenticated()
  report(@CurrentUser('name') user: string): string {
    return user;
  }
}

@Module({
  imports: [
    RedisSessionModule.forRoot({ store: 'memory', security: { rpcAuthentication: senderOf } }),
  ],
  controllers: [OrderController],
})
class OrderModule {}

describe('microservice messages with @SecuredMessages()', () => {
  let app: StartedApp;
  let client: ClientProxy;

  beforeAll(async () => {
    const options = { host: '127.0.0.1', port: await getPort() };
    app = await startApp('express', {
      imports: [OrderModule],
      prepare: async (nest) => {
        nest.connectMicroservice({ transport: Transport.TCP, options });
        await nest.startAllMicroservices();
      },
    });
    client = ClientProxyFactory.create({ transport: Transport.TCP, options });
  });

  afterAll(async () => {
    await client.close();
    await app.close();
  });

  const ask = (pattern: string, order: Order): Promise<unknown> =>
    firstValueFrom(client.send<unknown>(pattern, order));

  it('come from whom `rpcAuthentication` says, in decorators and in services', async () => {
    const answer = await ask('order', { from: { name: 'kim' } });
    expect(answer).toEqual({ user: 'kim', inHolder: 'kim' });
  });

  it('are answered with an error that says to log in, when nobody has sent them', async () => {
    await expect(ask('order', {})).rejects.toEqual({
      status: 'error',
      code: 'UNAUTHENTICATED',
      message: 'Log in to use this resource.',
    });
  });

  it('are refused when the user may not do this', async () => {
    const kim = { name: 'kim', authorities: ['USER'] };
    await expect(ask('refund', { from: kim })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const admin = { name: 'admin', authorities: ['ADMIN'] };
    expect(await ask('refund', { from: admin })).toBe('refunded');
  });

  it('have no session: the error says so, and what they have instead', async () => {
    await expect(ask('cart', { from: { name: 'kim' } })).rejects.toBe(
      'Cannot use the session in OrderController.cart: sessions belong to HTTP requests, and this handles messages. Use @CurrentUser(), which needs @SecuredMessages() on the class, or read a session by its id from the injected SessionRepository.',
    );
  });

  it('keep their users apart when they are handled in turns', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `user-${index}`);
    const answers = await Promise.all(names.map((name) => ask('order', { from: { name } })));
    expect(answers).toEqual(names.map((name) => ({ user: name, inHolder: name })));
  });
});

describe.each(PLATFORMS)('a hybrid application without @SecuredMessages() on %s', (platform) => {
  let app: StartedApp | undefined;
  let client: ClientProxy | undefined;
  afterEach(async () => {
    await client?.close();
    await app?.close();
    client = app = undefined;
  });

  async function start(...connected: { inheritAppConfig: boolean }[]): Promise<void> {
    const ports = await Promise.all(connected.map(() => getPort()));
    const options = ports.map((port) => ({ host: '127.0.0.1', port }));
    app = await startApp(platform, {
      options: { store: 'memory', security: { rpcAuthentication: senderOf } },
      controllers: [ReportController],
      prepare: (nest) => {
        connected.forEach((hybrid, index) => {
          const place = { ...options[index] };
          nest.connectMicroservice({ transport: Transport.TCP, options: place }, hybrid);
        });
      },
    });
    await app.app.startAllMicroservices();
    client = ClientProxyFactory.create({ transport: Transport.TCP, options: { ...options[0] } });
  }

  const ask = (order: Order): Promise<unknown> =>
    firstValueFrom((client as ClientProxy).send<unknown>('report', order));

  it('starts when its microservice inherits the global guards, and they refuse strangers', async () => {
    await start({ inheritAppConfig: true });
    expect(await ask({ from: { name: 'kim' } })).toBe('kim');
    await expect(ask({})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it.each([
    ['does not inherit them', [{ inheritAppConfig: false }]],
    ['is beside one that inherits them', [{ inheritAppConfig: true }, { inheritAppConfig: false }]],
    ['is before one that inherits them', [{ inheritAppConfig: false }, { inheritAppConfig: true }]],
  ])('does not start when a microservice %s', async (_case, connected) => {
    await expect(start(...connected)).rejects.toThrow(
      'Cannot start: ReportController.report handles messages that no guard of the application sees',
    );
  });
});
