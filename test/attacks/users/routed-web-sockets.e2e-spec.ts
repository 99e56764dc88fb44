import { describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Req, Res } from '@nestjs/common';
import { CurrentUser, SecurityContextHolder } from 'nestjs-redis-session';
import { on, once } from 'node:events';
import { type IncomingMessage, request as send, ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import request from 'supertest';
import { WebSocket, WebSocketServer } from 'ws';
import { rawRequestOf } from '../../../libs/redis-session/src/nest/call-context.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import {
  type Platform,
  PLATFORMS,
  type StartedApp,
  useApps,
} from '../../support/apps/start-app.js';
import { sessionCookieOf } from '../../support/http/session-cookie.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const WAITS_MS = 10_000;

/** Answers each message with the users that it is taken for. */
@Controller()
class SocketController {
  private readonly server = new WebSocketServer({ noServer: true });

  @Get('socket')
  open(
    @Req() platformRequest: object,
    @Res() response: { hijack?: () => void },
    @CurrentUser('username') current: string | undefined,
  ): void {
    response.hijack?.();
    const raw: IncomingMessage & { user?: unknown } = rawRequestOf(platformRequest);
    this.server.handleUpgrade(raw, raw.socket, Buffer.alloc(0), (socket) => {
      const answer = async (): Promise<void> => {
        const messages = on(socket, 'message');
        while (!(await messages.next()).done) {
          const { authentication } = SecurityContextHolder.getContext();
          socket.send([authentication?.name, raw.user, current].map(String).join());
        }
      };
      void answer();
    });
  }
}

type Route = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Hands upgrades to the router, as `@fastify/websocket` (for the GraphQL of Mercurius) and `express-ws` do. */
function routeUpgrades(app: INestApplication, platform: Platform): void {
  const instance = app.getHttpAdapter().getInstance() as Route & { readonly routing: Route };
  const server = app.getHttpServer() as { on(name: string, listener: Listener): void };
  type Listener = (request: IncomingMessage, socket: Socket) => void;
  server.on('upgrade', (upgrade, socket) => {
    const response = new ServerResponse(upgrade);
    response.assignSocket(socket);
    if (platform === 'express') instance(upgrade, response);
    else instance.routing(upgrade, response);
  });
}

describe.each(PLATFORMS)(
  'A WebSocket whose handshake is routed as a request, on %s',
  (platform) => {
    const startApp = useApps(platform, useTestRedis(), LOGIN_PARTS);
    const start = (): Promise<StartedApp> =>
      startApp(
        { security: { logout: {} } },
        { controllers: [SocketController], prepare: (app) => routeUpgrades(app, platform) },
      );
    const loginAt = async (url: string) =>
      sessionCookieOf(await request(url).post('/login').send(KIM).expect(200));

    it('is nobody, so that no logout is missed by it', async () => {
      const { url } = await start();
      const cookie = await loginAt(url);
      const socket = new WebSocket(`${url.replace('http', 'ws')}/socket`, { headers: { cookie } });
      const signal = AbortSignal.timeout(WAITS_MS);
      const answer = async (): Promise<string> => {
        socket.send('who am I?');
        const [data] = (await once(socket, 'message', { signal })) as [Buffer];
        return data.toString();
      };
      try {
        await once(socket, 'open', { signal });
        expect(await answer()).toBe('undefined,undefined,undefined');
        await request(url).post('/logout').set('Cookie', cookie).expect(204);
        expect(await answer()).toBe('undefined,undefined,undefined');
      } finally {
        socket.terminate();
      }
    });

    it('leaves a logout alone that asks for an upgrade', async () => {
      const { url } = await start();
      const cookie = await loginAt(url);
      const headers = { cookie, Connection: 'Upgrade', Upgrade: 'websocket' };
      const logout = send(`${url}/logout`, { method: 'POST', headers }).end();
      const signal = AbortSignal.timeout(WAITS_MS);
      const [response] = (await once(logout, 'response', { signal })) as [IncomingMessage];
      response.destroy();
      expect(response.statusCode).toBe(204);
      await request(url).get('/members').set('Cookie', cookie).expect(401);
    });
  },
);
