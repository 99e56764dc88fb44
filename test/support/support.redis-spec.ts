import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Cluster, Redis } from 'ioredis';
import { openRawClient } from './http/raw-client.js';
import { startRedis } from './redis/redis-server.js';
import { startRedisCluster } from './redis/redis-cluster.js';
import { recordCommands } from './redis/redis-monitor.js';
import { startRedisSentinel } from './redis/redis-sentinel.js';
import { startTcpProxy } from './faults/tcp-proxy.js';

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function ownRedis(): Promise<{ port: number; url: string }> {
  const redis = await startRedis();
  endings.push(() => redis.stop());
  return redis;
}

function clientOf(url: string): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined);
  endings.push(() => client.status === 'end' || client.disconnect());
  return client;
}

describe('the shared Redis', () => {
  it('answers', async () => {
    expect(await clientOf(process.env['TEST_REDIS_URL']!).ping()).toBe('PONG');
  });
});

describe('startRedis', () => {
  it('holds back its answers between SIGSTOP and SIGCONT, and is gone after stop', async () => {
    const redis = await startRedis();
    const client = clientOf(redis.url);
    await client.ping();
    await redis.kill('SIGSTOP');
    const answer = client.ping();
    expect(await Promise.race([answer, new Promise((r) => setTimeout(r, 50, 'none'))])).toBe(
      'none',
    );
    await redis.kill('SIGCONT');
    expect(await answer).toBe('PONG');
    await redis.stop();
    await expect(clientOf(redis.url).ping()).rejects.toThrow();
  });
});

describe('startRedisCluster', () => {
  it('spreads keys over its masters', async () => {
    const cluster = await startRedisCluster();
    endings.push(() => cluster.stop());
    const client = new Cluster([...cluster.addresses]);
    endings.push(() => client.disconnect());
    await Promise.all(['a', 'b', 'c'].map((key) => client.set(key, key)));
    expect(await Promise.all(['a', 'b', 'c'].map((key) => client.get(key)))).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(client.nodes('master')).toHaveLength(3);
  });
});

describe('startRedisSentinel', () => {
  it('names the master', async () => {
    const { sentinels, name, master, stop } = await startRedisSentinel();
    endings.push(stop);
    const client = new Redis({ sentinels: [...sentinels], name });
    endings.push(() => client.disconnect());
    expect(await client.config('GET', 'port')).toEqual(['port', `${master.port}`]);
  });
});

describe('startTcpProxy', () => {
  it('delays each direction and keeps the order', async () => {
    const proxy = await startTcpProxy({ targetPort: (await ownRedis()).port });
    endings.push(() => proxy.refuse());
    const client = clientOf(`redis://127.0.0.1:${proxy.port}`);
    await client.ping();
    proxy.delayMs = 40;
    const startedAt = performance.now();
    const answers = await Promise.all(['1', '2', '3'].map((text) => client.echo(text)));
    expect(answers).toEqual(['1', '2', '3']);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(79);
  });

  it('holds everything back between pause and resume', async () => {
    const proxy = await startTcpProxy({ targetPort: (await ownRedis()).port });
    endings.push(() => proxy.refuse());
    const client = clientOf(`redis://127.0.0.1:${proxy.port}`);
    await client.ping();
    proxy.pause();
    const answer = client.ping();
    expect(await Promise.race([answer, new Promise((r) => setTimeout(r, 50, 'none'))])).toBe(
      'none',
    );
    proxy.resume();
    expect(await answer).toBe('PONG');
  });

  it('loses the reply to a command that the server has done, and the connection with it', async () => {
    const { port, url } = await ownRedis();
    const proxy = await startTcpProxy({ targetPort: port });
    endings.push(() => proxy.refuse());
    const client = new Redis(proxy.port);
    endings.push(() => client.disconnect());
    await client.ping();
    let commands = 0;
    proxy.losesReplyTo = (command) => command.includes('incr') && commands++ === 0;
    expect(await client.incr('count')).toBe(2);
    expect(commands).toBe(2);
    expect(await clientOf(url).get('count')).toBe('2');
  });

  it('breaks connections, refuses new ones and accepts again on the same port', async () => {
    const proxy = await startTcpProxy({ targetPort: (await ownRedis()).port });
    endings.push(() => proxy.refuse());
    const client = clientOf(`redis://127.0.0.1:${proxy.port}`);
    await client.ping();
    const { port } = proxy;
    const closed = once(client, 'close');
    proxy.cut();
    await closed;
    await clientOf(`redis://127.0.0.1:${port}`).ping();
    await proxy.refuse();
    await expect(clientOf(`redis://127.0.0.1:${port}`).ping()).rejects.toThrow();
    await proxy.accept();
    expect(proxy.port).toBe(port);
    expect(await clientOf(`redis://127.0.0.1:${port}`).ping()).toBe('PONG');
  });
});

describe('recordCommands', () => {
  it('returns what clients sent since the last time, without the commands of scripts', async () => {
    const { url } = await ownRedis();
    const client = clientOf(url);
    await client.ping();
    const recording = await recordCommands(url);
    endings.push(() => recording.stop());
    await client.set('key', 'value');
    await client.eval('return redis.call("GET", KEYS[1])', 1, 'key');
    expect(await recording.take()).toEqual([
      ['set', 'key', 'value'],
      ['eval', 'return redis.call("GET", KEYS[1])', '1', 'key'],
    ]);
    expect(await recording.take()).toEqual([]);
  });
});

describe('openRawClient', () => {
  it('hands out the first bytes before the response is complete, and then all of it', async () => {
    const server = createServer((_request, response) => {
      response.write('first');
      server.once('finish-now', () => response.end('last'));
    }).listen(0, '127.0.0.1');
    endings.push(() => server.close());
    await once(server, 'listening');
    const client = await openRawClient((server.address() as AddressInfo).port);
    client.send('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
    expect(String(await client.firstBytes)).toContain('HTTP/1.1 200 OK');
    server.emit('finish-now');
    expect(String(await client.response)).toMatch(/first[^]*last/);
  });
});
