import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  Get,
  type INestMicroservice,
  Module,
  Res,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  MessagePattern,
  Transport,
} from '@nestjs/microservices';
import getPort from 'get-port';
import { AuthorizeBy, SecuredMessages, SecurityContextHolder } from 'nestjs-redis-session';
import { once } from 'node:events';
import { lastValueFrom, map } from 'rxjs';
import { rawResponseOf } from '../../../libs/redis-session/src/nest/call-context.js';
import { Barrier } from '../../support/waiting/barrier.js';
import request from 'supertest';
import { placeOf, PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { KIM, ADMIN, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

@Controller()
class PriceController {
  @MessagePattern('price')
  price(): number {
    return 42;
  }
}

@Module({ controllers: [PriceController] })
class PriceModule {}

const nameInHolder = (): string => SecurityContextHolder.getAuthentication()?.name ?? 'nobody';

let client: ClientProxy;

@Controller()
class ShopController {
  @Get('price')
  async price(): Promise<object> {
    const answer = client.send<number>('price', {});
    const inCallback = await lastValueFrom(answer.pipe(map(nameInHolder)));
    return { inCallback, inHandler: nameInHolder() };
  }
}

describe.each(PLATFORMS)('A connection that a request has opened, on %s', (platform) => {
  const redis = useTestRedis();
  let microservice: INestMicroservice;
  let app: StartedApp;

  beforeEach(async () => {
    const port = await getPort({ host: '127.0.0.1' });
    microservice = await NestFactory.createMicroservice(PriceModule, {
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
      logger: false,
    });
    await microservice.listen();
    client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
    });
  });

  afterEach(async () => {
    await app.close();
    await client.close();
    await microservice.close();
  });

  const startRelay = async (controllers: Type[]): Promise<ClientProxy> => {
    const address = { host: '127.0.0.1', port: await getPort({ host: '127.0.0.1' }) };
    app = await startApp(platform, {
      options: {
        ...placeOf(redis),
        security: {
          rpcAuthentication: (context) => {
            const { name } = context.switchToRpc().getData<{ name: string }>();
            const login = { kind: 'full', authenticatedAt: 0 } as const;
            return { ...login, name, principal: { name }, authorities: [] };
          },
        },
      },
      controllers,
      prepare: (nest) => {
        nest.connectMicroservice({ transport: Transport.TCP, options: address });
      },
    });
    await app.app.startAllMicroservices();
    return ClientProxyFactory.create({ transport: Transport.TCP, options: address });
  };

  it('shows later users nobody, and never the user of that request', async () => {
    app = await startApp(platform, {
      options: placeOf(redis),
      controllers: [...LOGIN_PARTS.controllers, ShopController],
      providers: LOGIN_PARTS.providers,
    });
    const askAs = async (user: object): Promise<unknown> => {
      const login = await request(app.url).post('/login').send(user);
      const answer = await request(app.url).get('/price').set('Cookie', sessionCookieOf(login));
      return answer.body as unknown;
    };
    expect(await askAs(ADMIN)).toEqual({ inCallback: 'admin', inHandler: 'admin' });
    expect(await askAs(KIM)).toEqual({ inCallback: 'nobody', inHandler: 'kim' });
  });

  it('shows nobody in what goes on after the client has gone', async () => {
    const names: string[] = [];
    const [hasBegun, isOver] = [new Barrier(), new Barrier()];
    @Controller()
    class SlowController {
      @Get('slow')
      async work(@Res() response: object): Promise<void> {
        names.push(nameInHolder());
        const closed = once(rawResponseOf(response), 'close');
        await hasBegun.pass();
        await closed;
        names.push(nameInHolder());
        await isOver.pass();
      }
    }
    app = await startApp(platform, {
      options: placeOf(redis),
      controllers: [...LOGIN_PARTS.controllers, SlowController],
      providers: LOGIN_PARTS.providers,
    });
    const cookie = sessionCookieOf(await request(app.url).post('/login').send(ADMIN));
    const leaving = new AbortController();
    const slow = fetch(`${app.url}/slow`, { headers: { cookie }, signal: leaving.signal });
    await hasBegun.reachedBy(1);
    hasBegun.open();
    leaving.abort();
    await expect(slow).rejects.toThrow();
    await isOver.reachedBy(1);
    isOver.open();
    expect(names).toEqual(['admin', 'nobody']);
  });

  it('shows later senders of messages nobody, and never the sender of that message', async () => {
    @Controller()
    @SecuredMessages()
    class RelayController {
      @MessagePattern('relay')
      async relay(): Promise<object> {
        const answer = client.send<number>('price', {});
        const inCallback = await lastValueFrom(answer.pipe(map(nameInHolder)));
        return { inCallback, inHandler: nameInHolder() };
      }
    }
    const sender = await startRelay([RelayController]);
    const askAs = (name: string) => lastValueFrom(sender.send<object>('relay', { name }));
    expect(await askAs('admin')).toEqual({ inCallback: 'admin', inHandler: 'admin' });
    expect(await askAs('kim')).toEqual({ inCallback: 'nobody', inHandler: 'kim' });
    await sender.close();
  });

  it.each(['a rule', 'a later guard'])(
    'shows later senders of messages nobody when %s opened it and refused the message',
    async (refusing) => {
      const names: string[] = [];
      const priceIsKnown = async () => {
        const answer = client.send<number>('price', {});
        names.push(await lastValueFrom(answer.pipe(map(nameInHolder))));
        return names.length > 1;
      };
      class LaterGuard implements CanActivate {
        canActivate = () => (refusing === 'a rule' ? true : priceIsKnown());
      }
      @Controller()
      @SecuredMessages()
      class RelayController {
        @MessagePattern('relay')
        @AuthorizeBy(() => (refusing === 'a rule' ? priceIsKnown() : true))
        @UseGuards(LaterGuard)
        relay(): string {
          return nameInHolder();
        }
      }
      const sender = await startRelay([RelayController]);
      const askAs = (name: string) => lastValueFrom(sender.send<string>('relay', { name }));
      await expect(askAs('admin')).rejects.toBeDefined();
      expect(await askAs('kim')).toBe('kim');
      expect(names).toEqual([refusing === 'a rule' ? 'admin' : 'nobody', 'nobody']);
      await sender.close();
    },
  );
});
