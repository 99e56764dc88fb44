import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import { Redis } from 'ioredis';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { send, type Answer } from '../../support/http/http-client.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startRedis } from '../../support/redis/redis-server.js';
import {
  type Platform,
  PLATFORMS,
  startApp,
  type StartedApp,
} from '../../support/apps/start-app.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';

const DEADLINE_MS = 500;
/** Routes that change the session and answer in the way of their name. */
const HANDLERS = [
  'json',
  'redirect',
  'stream',
  'res',
  'error',
  'awaited-update',
  'swallow',
] as const;

/** The filter that an application has for its own error format. */
@Catch(HttpException)
class AppFilter implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: HttpException, host: ArgumentsHost): void {
    const body = { formattedBy: 'the app' };
    const response = host.switchToHttp().getResponse<object>();
    this.adapterHost.httpAdapter.reply(response, body, exception.getStatus());
  }
}

let redis: Awaited<ReturnType<typeof startRedis>>;
let proxy: TcpProxy;
let direct: Redis;
let barrier: Barrier;
const log = new LoggedLines();
const secrets: string[] = [];

const network = {
  stopped: {
    fail: () => redis.kill('SIGKILL'),
    recover: async () => {
      redis = await startRedis({ port: redis.port });
    },
  },
  frozen: { fail: () => redis.kill('SIGSTOP'), recover: () => redis.kill('SIGCONT') },
  'cut off': { fail: () => proxy.refuse(), recover: () => proxy.accept() },
  silent: {
    fail: () => {
      proxy.pause();
      return Promise.resolve();
    },
    recover: () => {
      proxy.resume();
      return Promise.resolve();
    },
  },
};
type Way = keyof typeof network;
/** What the platforms have of their own is the answer; for that, one refused connection and one silence are enough. */
const WAYS_ON: Record<Platform, readonly Way[]> = {
  express: ['stopped', 'frozen', 'cut off', 'silent'],
  fastify: ['stopped', 'frozen'],
};

let undo: (() => Promise<void>) | undefined;

async function failBy(way: Way): Promise<void> {
  undo = network[way].recover;
  await network[way].fail();
}

async function recover(): Promise<void> {
  await undo?.();
  undo = undefined;
}

beforeAll(async () => {
  redis = await startRedis();
  proxy = await startTcpProxy({ targetPort: redis.port });
  direct = new Redis(redis.url);
  direct.on('error', () => undefined);
});

afterAll(async () => {
  direct.disconnect();
  await proxy.refuse();
  await redis.stop();
});

beforeEach(() => {
  barrier = OutageController.barrier = new Barrier();
});

describe.each(PLATFORMS)('on %s, when Redis is', (platform) => {
  const ways = WAYS_ON[platform];
  const keepingData = ways.filter((way) => way !== 'stopped');
  const replicas = new Map<string, StartedApp>();
  let replica: StartedApp;

  /** Tests with the same options share an application, which has to be back before each of them. */
  const useReplica = async (
    options: RedisSessionModuleOptions = {},
    providers: Provider[] = [],
  ) => {
    const name = JSON.stringify([options, providers.length]);
    replica = replicas.get(name) ?? (await start(options, providers));
    replicas.set(name, replica);
    await eventually(isBack);
  };
  const start = (options: RedisSessionModuleOptions, providers: Provider[]) =>
    startApp(platform, {
      controllers: [OutageController],
      log,
      options: {
        commandTimeoutMs: DEADLINE_MS,
        redis: `redis://127.0.0.1:${proxy.port}`,
        ...options,
      },
      providers,
    });
  const ask = (...[line, cookie]: [Parameters<typeof send>[1], string?]) =>
    send(replica.port, line, { cookie });
  const login = async () => {
    let { status, cookie = '' } = await ask('POST /login');
    while (status !== 201) ({ status, cookie = '' } = await ask('POST /login'));
    secrets.push(cookie, cookie.slice('SESSION='.length));
    return cookie;
  };
  const isBack = async () => (await ask('POST /json')).status === 201;
  const hashOf = async (cookie: string) => {
    const id = cookie.slice('SESSION='.length);
    return direct.hgetall(`nest:session:sessions:{${id.slice(0, 8)}}${id.slice(8)}`);
  };
  const expectUnavailable = (answer: Answer) => {
    expect(answer.status).toBe(503);
    expect(answer.headers['set-cookie']).toBeUndefined();
  };

  afterEach(async () => {
    await recover();
    barrier.open();
  });

  afterAll(() => Promise.all([...replicas.values()].map((app) => app.close())));

  describe.each(ways)('%s', (way) => {
    const fail = () => failBy(way);

    it('answers 503 to everything that needs a session while it lasts, and is back by itself', async () => {
      await useReplica();
      const cookie = await login();
      await fail();

      const answers = [
        ...[ask('GET /read', cookie), ask('POST /json', cookie), ask('POST /json')],
        ...[ask('POST /login', cookie), ask('POST /login'), ask('POST /logout', cookie)],
      ];
      for (const answer of await Promise.all(answers)) expectUnavailable(answer);
      expect((await ask('GET /read')).status).toBe(200);

      await recover();
      await eventually(isBack);
    });

    it('never sends an answer whose new session was lost, however the handler answers', async () => {
      await useReplica();
      await fail();

      const answers = HANDLERS.map(async (route) => [route, await ask(`POST /${route}`)] as const);
      for (const [route, { status, headers }] of await Promise.all(answers)) {
        expect([route, status, headers['set-cookie']]).toEqual([route, 503, undefined]);
      }

      await recover();
      await eventually(isBack);
    });

    it('fails alike when the session is read when it is first asked for', async () => {
      await useReplica({ load: 'lazy' });
      const cookie = await login();
      await fail();

      const lines = ['GET /read', 'GET /me', 'POST /login', 'POST /logout'] as const;
      for (const answer of await Promise.all(lines.map((line) => ask(line, cookie)))) {
        expectUnavailable(answer);
      }

      await recover();
      await eventually(isBack);
    });

    it("goes on anonymously with onStoreUnavailable 'anonymous', and fails only what changes the session", async () => {
      await useReplica({ onStoreUnavailable: 'anonymous' });
      const cookie = await login();
      await fail();

      const read = await ask('GET /read', cookie);
      expect([read.status, read.headers['set-cookie']]).toEqual([200, undefined]);
      expect(log.text).toMatch(
        /^.*Cannot load the session: .+\. The request goes on as an anonymous one\./m,
      );
      expect((await ask('GET /me', cookie)).status).toBe(401);
      const routes = ['json', 'res', 'swallow', 'login', 'logout', 'invalidate'] as const;
      const answers = routes.map((route) => ask(`POST /${route}`, cookie));
      for (const answer of await Promise.all(answers)) expectUnavailable(answer);

      await recover();
      await eventually(isBack);
    });
  });

  describe.each(keepingData)('%s while requests run', (way) => {
    const fail = () => failBy(way);

    it.each(['held-json', 'held-res'] as const)(
      'answers 503 to %s, which changes nothing later either',
      async (route) => {
        await useReplica();
        const cookie = await login();
        const before = await hashOf(cookie);
        const answer = ask(`POST /${route}`, cookie);
        await barrier.reachedBy(1);
        const afterLoad = await hashOf(cookie);
        await fail();
        barrier.open();

        const { status, headers } = await answer;
        expect([status, headers['set-cookie']]).toEqual([503, undefined]);

        await recover();
        await eventually(isBack);
        expect(await hashOf(cookie)).toEqual(afterLoad);
        expect(Object.keys(afterLoad).sort()).toEqual(Object.keys(before).sort());
        expect((await ask('GET /me', cookie)).status).toBe(200);
      },
    );

    it('answers 503 to a logout, which leaves the session as it was or ends it later', async () => {
      await useReplica();
      const cookie = await login();
      const answer = ask('POST /held-logout', cookie);
      await barrier.reachedBy(1);
      const afterLoad = await hashOf(cookie);
      await fail();
      barrier.open();
      expectUnavailable(await answer);

      await recover();
      await eventually(isBack);
      const { status } = await ask('GET /me', cookie);
      expect([200, 401]).toContain(status);
      const names = status === 200 ? Object.keys(afterLoad).sort() : [];
      expect(Object.keys(await hashOf(cookie)).sort()).toEqual(names);
    });

    it('does not even record an access that was answered with 503', async () => {
      await useReplica();
      const cookie = await login();
      await login();
      const before = await hashOf(cookie);
      await fail();
      expectUnavailable(await ask('GET /read', cookie));
      await recover();
      await eventually(isBack);

      expect(await hashOf(cookie)).toEqual(before);
    });

    it('sends the cookie of a new session that was saved at the second attempt', async () => {
      await useReplica();
      await fail();
      const answer = ask('POST /held-retry');
      await barrier.reachedBy(1);
      await recover();
      await eventually(isBack);
      barrier.open();

      const { status, cookie } = await answer;
      expect(status).toBe(201);
      expect((await ask('GET /read', cookie)).text).toBe('{"theme":"dark"}');
    });

    it('does not replace the session of a client that it has served anonymously', async () => {
      await useReplica({ onStoreUnavailable: 'anonymous' });
      const cookie = await login();
      await fail();
      const answer = ask('POST /held-json', cookie);
      await barrier.reachedBy(1);
      await recover();
      await eventually(isBack);
      barrier.open();

      const { status, headers } = await answer;
      expect([status, headers['set-cookie']]).toEqual([503, undefined]);
      expect((await ask('GET /me', cookie)).status).toBe(200);
    });
  });

  describe('frozen, the 503', () => {
    const fail = () => failBy('frozen');

    it('has the format of the application when its exception filter can see it', async () => {
      await useReplica({}, [{ provide: APP_FILTER, useClass: AppFilter }]);
      const cookie = await login();
      await fail();
      const changing = HANDLERS.filter((route) => route !== 'stream');
      const answers = await Promise.all([
        ask('GET /read', cookie),
        ...changing.map((route) => ask(`POST /${route}`)),
      ]);
      await recover();

      expect(answers.map(({ status }) => status)).toEqual(Array(7).fill(503));
      expect(answers.map(({ text }) => text)).toEqual(Array(7).fill('{"formattedBy":"the app"}'));
    });

    it('has the format of the application in place of a stream that has not begun', async () => {
      await useReplica({}, [{ provide: APP_FILTER, useClass: AppFilter }]);
      await fail();
      const { status, text } = await ask('POST /endless');
      await recover();

      expect([status, text]).toEqual([503, '{"formattedBy":"the app"}']);
    });

    it('is problem details in place of a stream without the interceptor', async () => {
      await useReplica({ interceptor: false }, [{ provide: APP_FILTER, useClass: AppFilter }]);
      await fail();
      const { status, headers, text } = await ask('POST /endless');
      await recover();

      expect(status).toBe(503);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(headers['retry-after']).toBe('1');
      expect(JSON.parse(text)).toMatchObject({ status: 503, title: 'Service Unavailable' });
    });
  });
});

it('logs no session id and no attribute value in all of this', () => {
  expect(secrets.length).toBeGreaterThan(0);
  expect(log.lines.length).toBeGreaterThan(0);
  for (const secret of [...secrets, 'dark', 'kim']) expect(log.text).not.toContain(secret);
});
