import { once } from 'node:events';
import { createServer, get, IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  Req,
} from '@nestjs/common';
import { type NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import { CurrentSession, type Session } from 'nestjs-redis-session';
import request from 'supertest';
import { SessionRequest } from '../../libs/redis-session/src/http/request/session-request.js';
import { type StartedApp, startApp } from '../support/apps/start-app.js';

interface Express {
  readonly request: object;
  readonly response: object;
}

@Controller()
class VisitsController {
  @Get('visits')
  count(@CurrentSession() session: Session, @Req() request: { get(name: string): string }): string {
    session.setAttribute<number>('visits', (session.getAttribute<number>('visits') ?? 0) + 1);
    return `${request.get('X-Name')} ${session.getAttribute<number>('visits')}`;
  }

  @Get('app')
  app(@Req() request: { app: { get(name: string): string } }): string {
    return request.app.get('name');
  }
}

/** What the server of an application creates, before Express sees it. */
async function withCreated(
  prepare: (server: Server, express: Express) => unknown,
  action: (created: { request?: object; response?: object }, app: StartedApp) => Promise<void>,
): Promise<void> {
  const created: { request?: object; response?: object } = {};
  const app = await startApp('express', {
    options: { store: 'memory' },
    controllers: [VisitsController],
    prepare: (nest) => prepare(serverOf(nest), nest.getHttpAdapter().getInstance() as Express),
  });
  serverOf(app.app).prependListener('request', (request, response) => {
    created.request = Object.getPrototypeOf(request) as object;
    created.response = Object.getPrototypeOf(response) as object;
  });
  try {
    await action(created, app);
  } finally {
    await app.close();
  }
}

function serverOf(app: StartedApp['app']): Server {
  return app.getHttpServer() as Server;
}

describe('requests and responses of Express', () => {
  it('have the prototypes of Express from the start, so that Express need not change them', async () => {
    await withCreated(
      () => undefined,
      async (created, { app, client }) => {
        const express = app.getHttpAdapter().getInstance() as Express;
        await client.get('/visits').set('X-Name', 'kim').expect(200, 'kim 1');
        expect(created.request).toBe(express.request);
        expect(created.response).toBe(express.response);
        expect(Object.create(created.request ?? null)).toBeInstanceOf(IncomingMessage);
      },
    );
  });

  it('keep what the application has added to these prototypes', async () => {
    await withCreated(
      (_server, express) => Object.assign(express.request, { get: () => 'added' }),
      async (_created, { client }) => {
        await client.get('/visits').expect(200, 'added 1');
      },
    );
  });

  it('are of the class that the application has given to its server, and have sessions, too', async () => {
    class OwnRequest extends IncomingMessage {}
    const own = createServer({ IncomingMessage: OwnRequest });
    await withCreated(
      (server) => {
        for (const key of Object.getOwnPropertySymbols(own)) {
          if (Reflect.get(own, key) === OwnRequest) Reflect.set(server, key, OwnRequest);
        }
      },
      async (created, { app, client }) => {
        const { headers } = await client.get('/visits').set('X-Name', 'kim').expect(200, 'kim 1');
        const [cookie = ''] = headers['set-cookie'] as unknown as string[];
        await client.get('/visits').set({ 'X-Name': 'kim', Cookie: cookie }).expect(200, 'kim 2');
        expect(created.request).toBe(OwnRequest.prototype);
        const express = app.getHttpAdapter().getInstance() as Express;
        expect(created.response).toBe(express.response);
      },
    );
  });

  it('are saved also by an Express application that middleware calls', async () => {
    const inner = express();
    inner.use(async (request, response) => {
      const session = await SessionRequest.of(request)?.getSession();
      session?.setAttribute('name', 'kim');
      response.send(String(request.app === inner));
    });
    @Module({})
    class InnerModule implements NestModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply((...call: Parameters<typeof inner>) => inner(...call)).forRoutes('inner');
      }
    }
    const { client, close } = await startApp('express', {
      options: { store: 'memory' },
      imports: [InnerModule],
    });
    const { headers } = await client.get('/inner').expect(200, 'true');
    await close();
    expect(headers['set-cookie']).toHaveLength(1);
  });

  it('are those of the application also where another one has mounted it', async () => {
    const { app, close } = await startApp('express', {
      options: { store: 'memory' },
      controllers: [VisitsController],
      prepare: (nest) => (nest as NestExpressApplication).set('name', 'inner'),
    });
    const outer = express();
    outer.use('/in', app.getHttpAdapter().getInstance() as never);
    const server = outer.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { text } = await request(server).get('/in/app');
    server.close();
    await close();
    expect(text).toBe('inner');
  });

  it('can be changed where Node itself hands them out, such as for an upgrade', async () => {
    const { app, port, close } = await startApp('express', { options: { store: 'memory' } });
    serverOf(app).on('upgrade', (upgrade: IncomingMessage & { query?: string }, socket) => {
      upgrade.query = 'own';
      socket.end(
        `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n${upgrade.query}`,
      );
    });
    const headers = { Connection: 'Upgrade', Upgrade: 'own' };
    const [response] = (await once(get({ port, headers, host: '127.0.0.1' }), 'response')) as [
      IncomingMessage,
    ];
    expect(await text(response)).toBe('own');
    await close();
  });
});
