import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';
import { send } from '../../support/http/http-client.js';
import { startRedisSentinel, type RedisSentinel } from '../../support/redis/redis-sentinel.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { eventually } from '../../support/waiting/eventually.js';

const CHANNEL = '+switch-master';
/** A client that asks a Sentinel opens a connection and begins with this. */
const FIRST_WORD = 'hello';

let group: RedisSentinel;
/** On the way to a Sentinel that goes on naming the first master. */
let proxy: TcpProxy;
/** On the way to the new master, from which the reports come as well, so that the test chooses their moment. */
let reporter: TcpProxy;
let heir: Awaited<ReturnType<typeof startRedis>>;
let atHeir: Redis;
let replica: StartedApp;

beforeEach(async () => {
  group = await startRedisSentinel();
  heir = await startRedis();
  atHeir = new Redis(heir.url);
  proxy = await startTcpProxy({ targetPort: group.sentinels[0]?.port ?? 0 });
  reporter = await startTcpProxy({ targetPort: heir.port });
});

afterEach(async () => {
  await replica.close();
  atHeir.disconnect();
  await proxy.refuse();
  await reporter.refuse();
  await heir.stop();
  await group.stop();
});

describe.each(PLATFORMS)('on %s', (platform) => {
  it('finds the new master when a failover is reported while it asks an outdated Sentinel', async () => {
    replica = await startApp(platform, {
      controllers: [OutageController],
      options: {
        redis: sentinelOptions(),
      },
    });
    expect((await send(replica.port, 'POST /login')).status).toBe(201);
    await listenerAtHeir();

    proxy.pause();
    await breakConnections(group.master.url);
    await eventually(() => Promise.resolve(proxy.isHolding(FIRST_WORD)));
    await reportFailover();
    proxy.resume();

    await eventually(async () => (await send(replica.port, 'POST /login')).status === 201);
    expect(await atHeir.keys('*:sessions:*')).not.toHaveLength(0);
  });
});

it('hears of a failover although the connections to all its Sentinels fell silent before', async () => {
  replica = await startApp('express', {
    controllers: [OutageController],
    options: { redis: sentinelOptions() },
  });
  expect((await send(replica.port, 'POST /login')).status).toBe(201);
  const before = await listenerAtHeir();

  proxy.swallow();
  reporter.swallow();
  await eventually(async () => (await listenerAtHeir()) !== before);
  await reportFailover();

  await eventually(async () => {
    await send(replica.port, 'POST /login');
    return (await atHeir.keys('*:sessions:*')).length > 0;
  });
});

function sentinelOptions() {
  const sentinels = [proxy, reporter].map(({ port }) => ({ host: '127.0.0.1', port }));
  return { name: group.name, updateSentinels: false, sentinels };
}

/** Waits until a connection listens to the reports that come from the new master. @returns its id there */
async function listenerAtHeir(): Promise<string> {
  let id = '';
  await eventually(async () => {
    const list = await atHeir.client('LIST', 'TYPE', 'PUBSUB');
    id = /^id=(\d+)/.exec(String(list))?.[1] ?? '';
    return id !== '';
  });
  return id;
}

async function reportFailover(): Promise<void> {
  await atHeir.publish(
    CHANNEL,
    `${group.name} 127.0.0.1 ${group.master.port} 127.0.0.1 ${heir.port}`,
  );
  await atHeir.ping();
}

async function breakConnections(url: string): Promise<void> {
  const client = new Redis(url);
  await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  client.disconnect();
}
