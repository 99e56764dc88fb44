import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { send } from '../../support/http/http-client.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { createApp, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';

let redis: Awaited<ReturnType<typeof startRedis>>;
let proxy: TcpProxy;
let direct: Redis;
let barrier: Barrier;
const log = new LoggedLines();

/** Clients of Redis beside the one of this test. */
const countClients = async () =>
  String(await direct.client('LIST'))
    .trim()
    .split('\n').length - 1;

beforeAll(async () => {
  redis = await startRedis();
  proxy = await startTcpProxy({ targetPort: redis.port });
  direct = new Redis(redis.url);
  await direct.config('SET', 'requirepass', 'right-password');
});

afterAll(async () => {
  await direct.quit();
  await proxy.refuse();
  await redis.stop();
});

beforeEach(() => {
  log.clear();
  barrier = OutageController.barrier = new Barrier();
});

describe.each(['express', 'fastify'] as const)('the client of an application on %s', (platform) => {
  const partsWith = (options: RedisSessionModuleOptions) => ({
    closesGently: true,
    controllers: [OutageController],
    log,
    options: { commandTimeoutMs: 1000, ...options },
  });
  const urlOf = (port: number, password = 'right-password') =>
    `redis://:${password}@127.0.0.1:${port}`;

  describe('when Redis cannot be used at the start', () => {
    const reasonOfStart = async (url: string) => {
      const app = await createApp(platform, partsWith({ redis: url }));
      const error = await app.init().then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      await app.close();
      return error?.message;
    };

    it('fails the start with one sentence for an address where nobody listens', async () => {
      const dead = await startTcpProxy({ targetPort: 1 });
      const { port } = dead;
      await dead.refuse();

      expect(await reasonOfStart(urlOf(port, 'secret-word'))).toBe(
        `Cannot reach Redis: the session store failed (connect ECONNREFUSED 127.0.0.1:${port}). Check the option redis: the address, the password, and rediss:// if Redis wants TLS.`,
      );
      expect(log.text).not.toContain('secret-word');
    });

    it('fails the start with one sentence for a wrong password, without the password', async () => {
      const message = await reasonOfStart(urlOf(redis.port, 'secret-word'));

      expect(message).toMatch(/^Cannot reach Redis: the session store failed \(WRONGPASS .*\)\. /);
      expect([message, log.text].join()).not.toContain('secret-word');
      await eventually(async () => (await countClients()) === 0);
    });

    it('fails the start with one sentence for a database that Redis does not have', async () => {
      expect(await reasonOfStart(`${urlOf(redis.port)}/99`)).toMatch(
        /^Cannot use database 99 of Redis: ERR DB index is out of range\. [^.]+\.$/,
      );
    });

    it('fails the start when Redis accepts the connection and stays silent', async () => {
      proxy.pause();
      const message = await reasonOfStart(urlOf(proxy.port));
      proxy.resume();

      expect(message).toMatch(/^Cannot reach Redis: the session store failed \(.*\)\. /);
    });
  });

  describe('when the application ends', () => {
    let replica: StartedApp;

    afterEach(() => replica.close());

    it('is closed, when it is the library that made it', async () => {
      replica = await startApp(platform, partsWith({ redis: urlOf(redis.port) }));
      expect(await countClients()).toBe(1);
      await replica.close();
      await eventually(async () => (await countClients()) === 0);
    });

    it('stays open, when it is a client of the application', async () => {
      const client = new Redis({ port: redis.port, password: 'right-password' });
      replica = await startApp(platform, partsWith({ redis: client }));
      expect((await send(replica.port, 'POST /json')).status).toBe(201);
      await replica.close();

      expect(await client.ping()).toBe('PONG');
      await client.quit();
    });

    it.each(['held-json', 'held-res'] as const)(
      'saves what requests under way have changed (%s)',
      async (route) => {
        replica = await startApp(platform, partsWith({ redis: urlOf(redis.port) }));
        const other = await startApp(platform, partsWith({ redis: urlOf(redis.port) }));
        const answer = send(replica.port, `POST /${route}`);
        await barrier.reachedBy(1);
        const closing = replica.close();
        await refusesConnections(replica.port);
        barrier.open();

        const { status, cookie } = await answer;
        await closing;
        expect(status).toBe(201);
        expect((await send(other.port, 'GET /read', { cookie })).text).toBe('{"theme":"dark"}');
        await other.close();
      },
    );

    it('does not wait for a Redis that is gone', async () => {
      replica = await startApp(platform, partsWith({ redis: urlOf(proxy.port) }));
      proxy.pause();
      await replica.close();
      proxy.resume();
    });
  });
});

/** Waits until the shutdown has begun: the server has stopped listening. */
function refusesConnections(port: number): Promise<void> {
  return eventually(() =>
    send(port, 'GET /read').then(
      () => false,
      (error: unknown) => (error as { code?: string }).code === 'ECONNREFUSED',
    ),
  );
}
