import getPort from 'get-port';
import { startNginx } from '../servers/nginx.mjs';
import { startPod } from '../servers/pod.mjs';
import { startRedisServer } from '../servers/redis-server.mjs';

const DRAIN_SECONDS = 5;

/** @typedef {import('../servers/pod.mjs').Pod} Pod */

/** Replicas behind nginx that can be replaced while users are on them. */
export class Fleet {
  /** @type {Pod[]} */
  #pods = [];

  constructor(/** @type {string} */ platform) {
    this.platform = platform;
  }

  get url() {
    return this.nginx.url;
  }

  get names() {
    return this.#pods.map(({ name }) => name);
  }

  /** Starts Redis, the replicas and nginx; without `port`, nginx listens on a free one. */
  async start(/** @type {readonly string[]} */ names, { port } = {}) {
    this.redis = await startRedisServer();
    this.#pods = await this.#startPods(names);
    this.nginx = await startNginx({ upstreamPorts: portsOf(this.#pods), port });
  }

  /** Blue/green: starts all the new replicas, sends all users to them, and stops the old ones. */
  async replaceAll(/** @type {readonly string[]} */ names) {
    const old = this.#pods;
    this.#pods = [...old, ...(await this.#startPods(names))];
    this.#pods.splice(0, old.length);
    await this.nginx.useUpstreams(portsOf(this.#pods));
    await Promise.all(old.map(end));
  }

  /** Rolling restart: takes one replica out, stops it, and puts a new one of the same name in its place. */
  async replaceEach() {
    for (const old of [...this.#pods]) {
      const others = this.#pods.filter((pod) => pod !== old);
      await this.nginx.useUpstreams(portsOf(others));
      await end(old);
      this.#pods = [...others, ...(await this.#startPods([old.name]))];
      await this.nginx.useUpstreams(portsOf(this.#pods));
    }
  }

  async stop() {
    await this.nginx?.stop();
    await Promise.all(this.#pods.map((pod) => pod.kill('SIGKILL')));
    await this.redis?.stop();
  }

  /** @returns {Promise<Pod[]>} */
  async #startPods(/** @type {readonly string[]} */ names) {
    const pods = [];
    for (const name of names) {
      const port = await getPort({ host: '127.0.0.1' });
      const place = { platform: this.platform, redisUrl: this.redis.url };
      pods.push(await startPod({ name, port, ...place, drainSeconds: DRAIN_SECONDS }));
    }
    return pods;
  }
}

/** @throws {Error} when it does not end with exit code 0 */
async function end(/** @type {Pod} */ pod) {
  await pod.kill('SIGTERM');
  const exitCode = await pod.exited;
  if (exitCode !== 0)
    throw new Error(`${pod.name} ended with exit code ${exitCode}.\n${pod.output()}`);
}

function portsOf(/** @type {readonly Pod[]} */ pods) {
  return pods.map(({ port }) => port);
}
