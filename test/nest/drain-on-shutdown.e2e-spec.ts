import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { KeepAliveClient } from '../../tools/demo/keep-alive-client.mjs';
import { startBackgroundProcess } from '../../tools/servers/background-process.mjs';
import { startNginx } from '../../tools/servers/nginx.mjs';
import { type Pod, startPod } from '../../tools/servers/pod.mjs';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';
import { waitUntilListening } from '../../tools/servers/wait-until-ready.mjs';
import { WebSocket } from 'ws';
import { drainOnShutdown } from 'nestjs-redis-session';
import { eventually } from '../support/waiting/eventually.js';
import { createApp } from '../support/apps/start-app.js';
import { openRawClient } from '../support/http/raw-client.js';
import { startRedis } from '../support/redis/redis-server.js';

const KIM = { username: 'kim', password: 'kim' };
const appFile = (name: string) =>
  fileURLToPath(new URL(`../support/apps/${name}`, import.meta.url));
const NEVER_CLOSING = appFile('never-closing-app.mjs');
const OPEN_CONNECTIONS = appFile('open-connections-app.mjs');
const HALF_POST = 'POST /api/cart HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"item"';

describe.each(['express', 'fastify'])('a process on %s that drains', (platform) => {
  let redis: RedisServer;
  const pods: Pod[] = [];

  async function start(drainSeconds: number, deadlineSeconds: number): Promise<Pod> {
    const [name, port] = [`pod-${pods.length}`, await getPort()];
    const seconds = { drainSeconds, deadlineSeconds };
    const pod = await startPod({ name, port, platform, redisUrl: redis.url, ...seconds });
    pods.push(pod);
    return pod;
  }

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterEach(async () => {
    await Promise.all(pods.splice(0).map((pod) => pod.kill('SIGKILL')));
  });

  afterAll(() => redis.stop());

  it('answers with Connection: close, accepts connections, and ends with exit code 0', async () => {
    const pod = await start(2, 20);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = await get(`${pod.url}/livez`, agent);
    expect(before).toMatchObject({ status: 200, connection: 'keep-alive' });
    await pod.kill('SIGTERM');
    await isDraining(pod);
    const onTheOldConnection = await get(`${pod.url}/livez`, agent);
    expect(onTheOldConnection).toEqual({ status: 200, connection: 'close', isReused: true });
    const onNewOne = await get(`${pod.url}/livez`, agent);
    expect(onNewOne).toEqual({ status: 200, connection: 'close', isReused: false });
    expect(await pod.exited).toBe(0);
  });

  it('answers the readiness check with 503 and the liveness check with 200', async () => {
    const pod = await start(2, 20);
    expect((await get(`${pod.url}/readyz`)).status).toBe(200);
    await pod.kill('SIGTERM');
    await isDraining(pod);
    expect((await get(`${pod.url}/readyz?probe`)).status).toBe(503);
    expect((await get(`${pod.url}/livez`)).status).toBe(200);
  });

  it('cuts a request that is half sent at the deadline, and ends with exit code 0', async () => {
    const pod = await start(0, 1);
    const client = await openRawClient(pod.port);
    client.send(HALF_POST);
    await get(`${pod.url}/livez`);
    await pod.kill('SIGTERM');
    await once(client.socket, 'close');
    expect(await pod.exited).toBe(0);
    expect(pod.output()).toMatch(
      /1 connections were still open \d+ s after the signal; they are cut\./,
    );
  });

  it('cuts event streams and WebSockets at the deadline and not before, and ends with exit code 0', async () => {
    const port = await getPort();
    const args = [OPEN_CONNECTIONS, platform, `${port}`, '0', '2'];
    const app = startBackgroundProcess(process.execPath, args);
    try {
      await waitUntilListening('the application', app, port);
      const client = await openRawClient(port);
      client.send('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(String(await client.firstBytes)).toContain('200 OK');
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      await once(socket, 'message');
      const closed = [once(client.socket, 'close'), once(socket, 'close')];
      await app.kill('SIGTERM');
      await eventually(() => get(`http://127.0.0.1:${port}/`).then(isFalse, isTrue));
      expect([client.socket.closed, socket.readyState]).toEqual([false, WebSocket.OPEN]);
      await Promise.all(closed);
      expect(await app.exited).toBe(0);
      expect(app.output()).toContain('2 connections were still open');
    } finally {
      await app.stop();
    }
  });

  it('ends with exit code 1 after the deadline when the application never closes', async () => {
    const port = await getPort();
    const app = startBackgroundProcess(process.execPath, [NEVER_CLOSING, platform, `${port}`]);
    try {
      await waitUntilListening('the application', app, port);
      await app.kill('SIGTERM');
      expect(await app.exited).toBe(1);
    } finally {
      await app.stop();
    }
  });

  it('ends the drain at Ctrl-C', async () => {
    const pod = await start(3_600, 7_200);
    await pod.kill('SIGTERM');
    await isDraining(pod);
    await pod.kill('SIGINT');
    expect(await pod.exited).toBe(0);
  });

  it('fails no POST of keep-alive clients behind nginx when it drains after it was told to stop', async () => {
    const [old, staying] = [await start(5, 20), await start(5, 20)];
    const nginx = await startNginx({ upstreamPorts: [old.port, staying.port] });
    const answers: { status: number; pod: string }[] = [];
    let isOver = false;
    const load = Array.from({ length: 8 }, async () => {
      const kim = new KeepAliveClient(nginx.url);
      await kim.post('/login', KIM);
      while (!isOver) answers.push(await kim.post('/sessions/end', { ref: 'of nobody' }));
      kim.close();
    });
    try {
      await eventually(() => Promise.resolve(answers.length > 100));
      await old.kill('SIGTERM');
      await isDraining(old);
      const before = answers.length;
      await eventually(() => Promise.resolve(answers.length > before + 100));
      await nginx.useUpstreams([staying.port]);
      expect(await old.exited).toBe(0);
      expect(answers.slice(before).some(({ pod }) => pod === old.name)).toBe(true);
    } finally {
      isOver = true;
      await Promise.allSettled(load);
      await nginx.stop();
    }
    await Promise.all(load);
    expect(answers.filter(({ status }) => status !== 303)).toEqual([]);
  });
});

describe('drainOnShutdown', () => {
  it.each([
    [-1, 10],
    [10, 10],
    [Number.NaN, 10],
  ])('refuses %d s with a deadline of %d s', async (drainSeconds, deadlineSeconds) => {
    const app = await createApp('express', { options: { store: 'memory' } });
    expect(() => drainOnShutdown(app, { drainSeconds, deadlineSeconds })).toThrow(
      `Cannot drain for ${drainSeconds} s with a deadline of ${deadlineSeconds} s: \`drainSeconds\` must be at least 0, \`deadlineSeconds\` must be greater.`,
    );
    await app.close();
  });
});

const isTrue = () => true;
const isFalse = () => false;

async function isDraining(pod: Pod): Promise<void> {
  await eventually(async () => (await get(`${pod.url}/readyz`)).status === 503);
}

interface Seen {
  status: number | undefined;
  connection: string | undefined;
  isReused: boolean;
}

async function get(url: string, agent?: Agent): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...(agent && { agent }) }, (response) => {
      const { statusCode: status, headers } = response;
      response.resume().once('end', () => {
        // The agent takes the connection back first.
        setImmediate(resolve, {
          status,
          connection: headers.connection,
          isReused: sent.reusedSocket,
        });
      });
    });
    sent.once('error', reject).end();
  });
}
