import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { startNginx } from '../servers/nginx.mjs';
import { startPod } from '../servers/pod.mjs';
import { startRedisServer } from '../servers/redis-server.mjs';

const DOWN_MS = 1_000;

/** Two replicas of the demo behind nginx, and a Redis that writes everything to its disk before it answers. */
export class Site {
  /** @type {import('../servers/pod.mjs').Pod[]} */
  #pods = [];

  constructor(/** @type {string} */ platform) {
    this.platform = platform;
  }

  get url() {
    return this.nginx.url;
  }

  async start() {
    this.folder = await mkdtemp(join(tmpdir(), 'chaos-'));
    this.redis = await this.#startRedis();
    this.control = new Redis(this.redis.url, { maxRetriesPerRequest: null });
    this.control.on('error', () => undefined);
    for (const name of ['pod-a', 'pod-b']) this.#pods.push(await this.#startPod(name));
    this.nginx = await startNginx({ upstreamPorts: this.#pods.map(({ port }) => port) });
  }

  /** Ends a replica by `signal` and starts another one in its place; nginx is not told. */
  async replacePod(/** @type {NodeJS.Signals} */ signal) {
    const [old] = this.#pods;
    await old.kill(signal);
    await old.exited;
    this.#pods = [...this.#pods.slice(1), await this.#startPod(old.name, old.port)];
  }

  async restartRedis() {
    const { port } = this.redis;
    await this.redis.kill('SIGKILL');
    await delay(DOWN_MS);
    this.redis = await this.#startRedis(port);
  }

  async stop() {
    await this.nginx?.stop();
    await Promise.all(this.#pods.map((pod) => pod.kill('SIGKILL')));
    this.control?.disconnect();
    await this.redis?.stop();
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
  }

  #startRedis(/** @type {number | undefined} */ port) {
    const args = ['--dir', this.folder, '--appendonly', 'yes', '--appendfsync', 'always'];
    return startRedisServer({ args, ...(port && { port }) });
  }

  async #startPod(/** @type {string} */ name, /** @type {number | undefined} */ port) {
    const usedPort = port ?? (await getPort({ host: '127.0.0.1' }));
    const { platform, redis } = this;
    return startPod({ name, port: usedPort, platform, redisUrl: redis.url, drainSeconds: 1 });
  }
}
