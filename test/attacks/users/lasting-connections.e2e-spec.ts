import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  MessagePattern,
  Transport,
} from '@nestjs/microservices';
import getPort from 'get-port';
import { SecuredMessages, SecurityContextHolder } from 'nestjs-redis-session';
import { lastValueFrom, map } from 'rxjs';
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
    const port = await getPort({ host: '127.0.0.1' });
    const address = { host: '127.0.0.1', port };
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
      controllers: [RelayController],
      prepare: (nest) => {
        nest.connectMicroservice({ transport: Transport.TCP, options: address });
      },
    });
    await app.app.startAllMicroservices();
    const sender = ClientProxyFactory.create({ transport: Transport.TCP, options: address });
    const askAs = (name: string) => lastValueFrom(sender.send<object>('relay', { name }));
    expect(await askAs('admin')).toEqual({ inCallback: 'admin', inHandler: 'admin' });
    expect(await askAs('kim')).toEqual({ inCallback: 'nobody', inHandler: 'kim' });
    await sender.close();
  });
});
