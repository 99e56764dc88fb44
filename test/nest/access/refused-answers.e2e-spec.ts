import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Post } from '@nestjs/common';
import expressSession from 'express-session';
import { CurrentSession, type Session } from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { send } from '../../support/http/http-client.js';
import { startRedis } from '../../support/redis/redis-server.js';

const APP = fileURLToPath(new URL('../../support/apps/answering-app.mjs', import.meta.url));
const redis = process.env['TEST_REDIS_URL'] ?? '';

interface Process {
  readonly child: ChildProcess;
  readonly port: number;
}

async function startProcess(platform: string, redisUrl: string): Promise<Process> {
  const child = fork(APP, [platform, redisUrl], { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

describe.each(PLATFORMS)('an answer that is refused, on %s', (platform) => {
  let plain: Process;
  let app: Process;

  beforeAll(async () => {
    plain = await startProcess(platform, '');
    app = await startProcess(platform, redis);
  });
  afterAll(() => {
    plain.child.disconnect();
    app.child.disconnect();
  });

  it.each<`/${string}`>([
    '/header?name=%E6%97%A5',
    '/ownHeader?name=%E6%97%A5',
    '/location?name=%E6%97%A5',
    '/throwAfterwards',
    '/sendTwice',
    '/objectAsText',
  ])('%s is answered as by an application without sessions, which lives on', async (path) => {
    const expected = await send(plain.port, `GET ${path}`);
    const answer = await send(app.port, `GET ${path}`);
    expect([answer.status, answer.text]).toEqual([expected.status, expected.text]);
    await send(app.port, 'GET /lives-on');
  });
});

@Controller()
class ChangeController {
  @Post('change')
  change(@CurrentSession() session: Session): void {
    session.setAttribute<boolean>('changed', true);
  }
}

describe('a failed save behind middleware that ends a response once', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let app: StartedApp;

  beforeEach(async () => {
    server = await startRedis();
    const legacy = expressSession({ secret: 'other', resave: false, saveUninitialized: false });
    app = await startApp('express', {
      controllers: [ChangeController],
      options: { redis: server.url, commandTimeoutMs: 1000 },
      prepare: (nest) => nest.use(legacy),
    });
  });
  afterEach(async () => {
    await app.close();
    await server.stop();
  });

  it('is answered with 503', async () => {
    expect((await send(app.port, 'POST /change')).status).toBe(201);
    await server.kill('SIGSTOP');
    try {
      expect((await send(app.port, 'POST /change')).status).toBe(503);
    } finally {
      await server.kill('SIGCONT');
    }
  });
});
