import { createServer, IncomingMessage, type Server } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Req } from '@nestjs/common';
import { CurrentSession, type Session } from 'nestjs-redis-session';
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
});
