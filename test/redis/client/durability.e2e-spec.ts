import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { setTimeout as delay } from 'node:timers/promises';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { send } from '../../support/http/http-client.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';

const REPLICATION_DELAY_MS = 50;
const CLIENTS = 10;

type Server = Awaited<ReturnType<typeof startRedis>>;

let master: Server;
let slave: Server;
/** Between the master and its replica. */
let replication: TcpProxy;
let app: StartedApp;

beforeEach(async () => {
  OutageController.barrier = new Barrier();
  master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  replication = await startTcpProxy({ targetPort: master.port });
  slave = await startRedis({ args: ['--replicaof', '127.0.0.1', String(replication.port)] });
  const watcher = new Redis(slave.url);
  await eventually(async () => (await watcher.info('replication')).includes('link_status:up'));
  watcher.disconnect();
  replication.delayMs = REPLICATION_DELAY_MS;
});

afterEach(async () => {
  await app.close();
  await replication.refuse();
  await slave.stop();
  await master.stop();
});

describe.each([
  ['express', 'default'],
  ['fastify', 'indexed'],
] as const)('on %s with the %s repository', (platform, repository) => {
  const startOn = (redis: string, options: RedisSessionModuleOptions = {}) =>
    startApp(platform, {
      controllers: [OutageController],
      options: { redis, repository, ...options },
    });
  const start = async () => {
    app = await startOn(master.url, { durability: { replicas: 1, timeoutMs: 500 } });
  };
  const statusOf = async (line: Parameters<typeof send>[1], cookie?: string) =>
    (await send(app.port, line, { cookie })).status;
  const promoteReplica = async () => {
    await master.kill('SIGKILL');
    const commander = new Redis(slave.url);
    await commander.replicaof('NO', 'ONE');
    commander.disconnect();
    await app.close();
    app = await startOn(slave.url);
  };

  it('no login and no logout that was answered is lost with the master', async () => {
    await start();
    const loggedIn: string[] = [];
    const loggedOut: string[] = [];
    let isOver = false;
    const visit = async () => {
      while (!isOver) {
        const login = await send(app.port, 'POST /login');
        if (login.status !== 201 || !login.cookie) continue;
        const renewed = await send(app.port, 'POST /login', { cookie: login.cookie });
        if (renewed.status !== 201 || !renewed.cookie) continue;
        loggedOut.push(login.cookie);
        const isStaying = loggedIn.length <= loggedOut.length / 2;
        if (isStaying) loggedIn.push(renewed.cookie);
        else if ((await statusOf('POST /logout', renewed.cookie)) === 201)
          loggedOut.push(renewed.cookie);
      }
    };
    const visits = Array.from({ length: CLIENTS }, visit);
    await eventually(() => Promise.resolve(loggedIn.length >= 20), 20_000);
    replication.pause();
    await delay(2 * REPLICATION_DELAY_MS);
    isOver = true;
    await Promise.all(visits);
    await promoteReplica();

    for (const cookie of loggedIn) expect(await statusOf('GET /me', cookie)).toBe(200);
    for (const cookie of loggedOut) expect(await statusOf('GET /me', cookie)).toBe(401);
  });

  it('a login and a logout that the replica does not get are answered with 503', async () => {
    await start();
    const { cookie } = await send(app.port, 'POST /login');
    expect(await statusOf('POST /json', cookie)).toBe(201);
    replication.pause();

    expect(await statusOf('POST /login')).toBe(503);
    expect(await statusOf('POST /json', cookie)).toBe(201);
    expect(await statusOf('GET /me', cookie)).toBe(200);
    expect(await statusOf('POST /logout', cookie)).toBe(503);

    replication.resume();
    expect(await statusOf('POST /login')).toBe(201);
  });

  it('a logout that is answered with 503 does not end the session in the middle of the next login', async () => {
    const durability = { replicas: 1, timeoutMs: 400 };
    app = await startOn(master.url, {
      ...{ commandTimeoutMs: 1000, durability, touchIntervalSeconds: 0 },
    });
    const { cookie } = await send(app.port, 'POST /login');
    expect(await statusOf('GET /me', cookie)).toBe(200);
    const watcher = new Redis(master.url);
    const scriptCalls = async () =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await watcher.info('commandstats'))?.[1]);
    replication.pause();
    const first = statusOf('POST /login');
    await eventually(async () => (await watcher.info('clients')).includes('blocked_clients:1'));
    const before = await scriptCalls();
    let answered = 0;
    const others = Array.from({ length: 4 }, () =>
      statusOf('POST /login').finally(() => answered++),
    );
    // On a slow machine they wait for too long, and are never sent.
    await eventually(async () => answered === 4 || (await scriptCalls()) >= before + 4);
    expect(await statusOf('POST /logout', cookie)).toBe(503);

    const now = await scriptCalls();
    const answer = send(app.port, 'POST /login', { cookie });
    await eventually(async () => (await scriptCalls()) > now);
    watcher.disconnect();
    replication.resume();
    const login = await answer;
    expect([201, 503]).toContain(login.status);
    if (login.status === 201) expect(await statusOf('GET /me', login.cookie)).toBe(200);
    await Promise.all([first, ...others]);
    expect(await statusOf('POST /login', cookie)).toBe(201);
  });

  it('logins that come while replicas are asked share the next WAIT', async () => {
    await start();
    const watcher = new Redis(master.url);
    const waits = async () =>
      Number(/cmdstat_wait:calls=(\d+)/.exec(await watcher.info('commandstats'))?.[1] ?? 0);
    const logins = Array.from({ length: CLIENTS }, () => statusOf('POST /login'));
    expect(await Promise.all(logins)).toEqual(Array(CLIENTS).fill(201));
    expect(await waits()).toBeLessThan(CLIENTS);
    watcher.disconnect();
  });

  it.each<[string, RedisSessionModuleOptions]>([
    ['keeps the id of its session', { security: { sessionFixation: 'none' } }],
    ['is saved apart from the new id', { flushMode: 'immediate' }],
  ])('a login that %s is answered with 503, too', async (_name, options) => {
    const durability = { replicas: 1, timeoutMs: 500 };
    app = await startOn(master.url, { ...options, durability });
    const { cookie } = await send(app.port, 'POST /json');
    replication.pause();

    expect(await statusOf('POST /login', cookie)).toBe(503);

    replication.resume();
    expect(await statusOf('POST /login', cookie)).toBe(201);
  });
});

describe.each(PLATFORMS)('on %s with the indexed repository', (platform) => {
  const log = new LoggedLines();
  const start = () =>
    startApp(platform, {
      controllers: [OutageController],
      log,
      options: {
        commandTimeoutMs: 600,
        durability: { replicas: 1, timeoutMs: 300 },
        redis: master.url,
        repository: 'indexed',
      },
    });
  const refuseLogin = async ({ port }: StartedApp) =>
    expect((await send(port, 'POST /login')).status).toBe(503);

  it('a closed application leaves the session of a refused login alone, and logs no closed connection', async () => {
    const watcher = new Redis(master.url);
    const sessionKeys = async () => (await watcher.scan('0', 'COUNT', '1000', 'TYPE', 'hash'))[1];
    const closed = await start();
    app = await start();
    replication.pause();
    await refuseLogin(closed);
    const kept = await sessionKeys();
    await closed.close();
    await refuseLogin(app);
    expect(await sessionKeys()).toHaveLength(2);

    // The work of the closed application would have been due before that of the other one.
    replication.resume();
    await eventually(async () => (await sessionKeys()).length < 2);
    expect(await sessionKeys()).toEqual(kept);
    expect(kept).toHaveLength(1);
    expect(log.text).not.toContain('Connection is closed');
    watcher.disconnect();
  });
});
