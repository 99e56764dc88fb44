import { expressSession } from 'nestjs-redis-session/express-session';
import { Controller, Get, Param, Post, Session } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ExpressSession } from 'nestjs-redis-session/express-session';
import supertest from 'supertest';
import { eventually } from '../support/waiting/eventually.js';
import { PLATFORMS, useApps } from '../support/apps/start-app.js';
import { startTcpProxy, type TcpProxy } from '../support/faults/tcp-proxy.js';
import { useTestRedis } from '../support/redis/test-redis.js';

type Method = 'save' | 'destroy' | 'regenerate' | 'reload';

const redis = useTestRedis();
let proxy: TcpProxy;
const rejections: unknown[] = [];
const noteRejection = (reason: unknown) => rejections.push(reason);

@Controller()
class OutageController {
  @Post('write')
  write(@Session() session: ExpressSession) {
    session['written'] = true;
  }

  @Get('read')
  read(@Session() session: ExpressSession) {
    return { written: session['written'] };
  }

  @Post('forget/:method')
  async forget(@Session() session: ExpressSession, @Param('method') method: Method) {
    session['again'] = true;
    await proxy.refuse();
    void session[method]();
  }

  @Post('await/:method')
  async awaitIt(@Session() session: ExpressSession, @Param('method') method: Method) {
    await proxy.refuse();
    session['again'] = true;
    await session[method]();
  }
}

beforeAll(() => {
  process.on('unhandledRejection', noteRejection);
});

afterAll(() => {
  process.off('unhandledRejection', noteRejection);
});

beforeEach(async () => {
  rejections.length = 0;
  const { port } = new URL(process.env['TEST_REDIS_URL'] ?? '');
  proxy = await startTcpProxy({ targetPort: Number(port) });
});

describe.each(PLATFORMS)('req.session on %s, when Redis is cut off', (platform) => {
  const start = useApps(platform, redis, { controllers: [OutageController] });

  afterEach(() => proxy.refuse());

  async function visitor() {
    const { url } = await start({
      redis: `redis://127.0.0.1:${proxy.port}`,
      features: [expressSession()],
      commandTimeoutMs: 1000,
    });
    const agent = supertest.agent(url);
    await agent.post('/write').expect(201);
    return agent;
  }

  it.each(['save', 'destroy', 'regenerate', 'reload'] as const)(
    'survives a %s() that nobody waits for, and fails the response',
    async (method) => {
      const agent = await visitor();
      await agent.post(`/forget/${method}`).expect(503);
      await proxy.accept();
      await eventually(async () => (await agent.get('/read')).status === 200);
      await agent.get('/read').expect({ written: true });
      expect(rejections).toEqual([]);
    },
  );

  it.each(['save', 'destroy', 'regenerate', 'reload'] as const)(
    'tells whoever waits for %s()',
    async (method) => {
      const agent = await visitor();
      await agent.post(`/await/${method}`).expect(503);
    },
  );
});
