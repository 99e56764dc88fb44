import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { startBrowser } from '../support/http/browser.js';
import { Visitor } from '../../tools/demo/visitor.mjs';
import { type Nginx, startNginx } from '../../tools/servers/nginx.mjs';
import { type Pod, startPod } from '../../tools/servers/pod.mjs';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';
import { eventually } from '../support/waiting/eventually.js';
import { startRedis } from '../support/redis/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../support/faults/tcp-proxy.js';

const KIM = { username: 'kim', password: 'kim' };

/** One replica on each platform: whatever is stored by one must be understood by the other. */
describe('two replicas behind nginx', () => {
  let redis: RedisServer;
  let network: TcpProxy;
  let podA: Pod;
  let podB: Pod;
  let nginx: Nginx;

  async function start(name: string, port: number): Promise<Pod> {
    const platform = name === 'pod-a' ? 'express' : 'fastify';
    const redisUrl = `redis://127.0.0.1:${network.port}`;
    // A loaded machine may need more than two seconds to stop a replica whose commands are held back.
    const variables = { COMMAND_TIMEOUT_MS: '20000' };
    return startPod({ name, port, platform, redisUrl, variables });
  }

  async function login(url: string): Promise<Visitor> {
    const visitor = new Visitor(url);
    expect(await visitor.postJson('/login', KIM)).toMatchObject({ status: 200 });
    return visitor;
  }

  beforeAll(async () => {
    redis = await startRedis();
    network = await startTcpProxy({ targetPort: redis.port });
    podA = await start('pod-a', await getPort());
    podB = await start('pod-b', await getPort());
    nginx = await startNginx({ upstreamPorts: [podA.port, podB.port] });
  });

  afterAll(async () => {
    await nginx.stop();
    await Promise.all([podA.stop(), podB.stop()]);
    await network.refuse();
    await redis.stop();
  });

  it('knows the user in 100 requests, at least 40 on each replica', async () => {
    const kim = await login(podA.url);
    kim.url = nginx.url;
    const answers = [];
    for (let request = 0; request < 100; request++) answers.push(await kim.getJson('/api/me'));
    for (const { status, text, pod } of answers) {
      expect(status).toBe(200);
      expect(JSON.parse(text)).toEqual({ user: 'kim', authorities: ['USER'], pod });
    }
    for (const name of ['pod-a', 'pod-b']) {
      expect(answers.filter(({ pod }) => pod === name).length).toBeGreaterThanOrEqual(40);
    }
  });

  it('answers an unknown address with a page for browsers and with JSON for programs', async () => {
    const visitor = new Visitor(nginx.url);
    const page = await visitor.open('/no-such-page');
    expect(page).toMatchObject({ status: 404 });
    expect(page.text).toContain('There is no such page here.');
    expect(JSON.parse((await visitor.getJson('/no-such-page')).text)).toMatchObject({
      statusCode: 404,
    });
  });

  it('shows the browser of a session in words', async () => {
    const kim = new Visitor(podA.url);
    const userAgent =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36';
    await kim.submit('/login', KIM, { 'user-agent': userAgent });
    expect((await kim.open('/sessions')).text).toContain('Chrome on Linux');
  });

  it.each([320, 390, 1280])('scrolls no page sideways at %d px', async (width) => {
    const browser = await startBrowser();
    try {
      const page = await browser.newPage({ viewport: { width, height: 800 } });
      const overflows: Record<string, number> = {};
      const look = async (path: string): Promise<void> => {
        await page.goto(nginx.url + path, { waitUntil: 'load' });
        overflows[path] = await page.evaluate<number>(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
      };
      for (const path of ['/', '/login', '/no-such-page']) await look(path);
      await page.goto(`${nginx.url}/login`);
      await page.fill('[name=username]', KIM.username);
      await page.fill('[name=password]', KIM.password);
      await page.press('[name=password]', 'Enter');
      await page.waitForURL((url) => url.pathname !== '/login');
      for (const path of ['/', '/members', '/account', '/sessions', '/admin']) await look(path);
      expect(Object.entries(overflows).filter(([, pixels]) => pixels > 0)).toEqual([]);
      expect(await page.content()).toContain('kim');
    } finally {
      await browser.close();
    }
  });

  it('shows a browser that the password is wrong', async () => {
    const visitor = new Visitor(podA.url);
    const { location = '' } = await visitor.submit('/login', { username: 'admin', password: 'no' });
    expect((await visitor.open(location)).text).toContain('do not belong together');
  });

  it('forgets the user on the other replica the moment one has answered the logout', async () => {
    const kim = await login(podA.url);
    kim.url = podB.url;
    expect(await kim.getJson('/api/me')).toMatchObject({ status: 200, pod: 'pod-b' });
    kim.url = podA.url;
    const cookie = await kim.cookie();
    expect(await kim.submit('/logout')).toMatchObject({ status: 303, pod: 'pod-a' });
    const thief = await fetch(`${podB.url}/api/me`, { headers: { cookie } });
    expect([thief.status, thief.headers.get('x-pod')]).toEqual([401, 'pod-b']);
  });

  it('loses no login when a replica is killed under load and started again', async () => {
    const visitors = await Promise.all(Array.from({ length: 8 }, () => login(nginx.url)));
    const seen: { status: number; pod: string }[] = [];
    let isOver = false;
    const load = visitors.map(async (visitor) => {
      while (!isOver) seen.push(await visitor.getJson('/api/me'));
    });
    const answersOf = (name: string, from: number): number =>
      seen.slice(from).filter(({ pod }) => pod === name).length;
    const moreFrom = (name: string): Promise<void> => {
      const from = seen.length;
      return eventually(() => Promise.resolve(answersOf(name, from) >= 50));
    };
    try {
      await Promise.all([moreFrom('pod-a'), moreFrom('pod-b')]);
      await podA.kill('SIGKILL');
      await moreFrom('pod-b');
      podA = await start('pod-a', podA.port);
      await Promise.all([moreFrom('pod-a'), moreFrom('pod-b')]);
    } finally {
      isOver = true;
      await Promise.all(load);
    }
    expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('finishes what is under way at SIGTERM, and stores its changes', async () => {
    const kim = await login(podB.url);
    kim.url = podA.url;
    network.pause();
    const [, id = ''] = (await kim.cookie()).split('SESSION=');
    const adding = kim.postJson('/api/cart', { item: 'tea' });
    // Not any chunk: the replicas look for ended sessions all the time.
    await eventually(() => Promise.resolve(network.isHolding(id)));
    await podA.kill('SIGTERM');
    await eventually(async () => !(await listens(podA.url)));
    network.resume();
    const added = await adding;
    expect(added).toMatchObject({ status: 201, pod: 'pod-a' });
    await podA.exited;
    kim.url = podB.url;
    const { text } = await kim.getJson('/api/cart');
    expect(JSON.parse(text)).toEqual({ cart: ['tea'], pod: 'pod-b' });
    podA = await start('pod-a', podA.port);
  });

  it('lives, and is not ready, while Redis is away', async () => {
    const ask = (path: string) =>
      Promise.all([podA, podB].map(async ({ url }) => (await fetch(`${url}${path}`)).status));
    expect([await ask('/livez'), await ask('/readyz')]).toEqual([
      [200, 200],
      [200, 200],
    ]);
    await network.refuse();
    expect([await ask('/livez'), await ask('/readyz')]).toEqual([
      [200, 200],
      [503, 503],
    ]);
    await network.accept();
    await eventually(async () => (await ask('/readyz')).every((status) => status === 200));
  });
});

async function listens(url: string): Promise<boolean> {
  return fetch(`${url}/style.css`).then(
    () => true,
    () => false,
  );
}
