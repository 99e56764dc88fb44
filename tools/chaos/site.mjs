import { setTimeout as delay } from 'node:timers/promises';
import getPort from 'get-port';
import { startNginx } from '../servers/nginx.mjs';
import { startPod } from '../servers/pod.mjs';
import { Crowd } from './crowd.mjs';

/** @typedef {import('./stages/stage.mjs').Stage} Stage */

/** Until then all users should have logged in. */
const ARRIVAL_MS = 10_000;

/** Two replicas of the demo behind nginx on the Redis of a stage, and their users. */
export class Site {
  /** `indexed` or `default`. */
  repository;
  /** @type {import('../servers/pod.mjs').Pod[]} */
  #pods = [];
  /** @type {Promise<void> | undefined} */
  #load;
  #stage;
  #platforms;
  #users;

  /**
   * @param {{ stage: Stage, platform: string, repository: string, users: number }} options - platform `mixed` is one replica on each
   */
  constructor({ stage, platform, repository, users }) {
    this.#stage = stage;
    this.#users = users;
    this.repository = repository;
    this.#platforms = platform === 'mixed' ? ['express', 'fastify'] : [platform, platform];
  }

  async start() {
    for (const platform of this.#platforms) this.#pods.push(await this.#startPod(platform));
    this.nginx = await startNginx({ upstreamPorts: this.#pods.map(({ port }) => port) });
    const { idleSeconds } = this.#stage;
    this.crowd = new Crowd({ url: this.nginx.url, count: this.#users, idleSeconds });
    this.#load = this.crowd.run();
    const giveUpAtMs = performance.now() + ARRIVAL_MS;
    while (!this.crowd.isComplete && performance.now() < giveUpAtMs) await delay(ARRIVAL_MS / 100);
  }

  /**
   * Ends a replica by `signal` and starts another one in its place; nginx is not told.
   *
   * @returns {Promise<number | undefined>} its exit code; undefined when the signal ended it
   */
  async replacePod(/** @type {NodeJS.Signals} */ signal) {
    const [old] = this.#pods;
    await old.kill(signal);
    const exitCode = await old.exited;
    const [platform] = this.#platforms;
    this.#pods = [...this.#pods.slice(1), await this.#startPod(platform, old.port)];
    // The other one is the next.
    this.#platforms = [...this.#platforms.slice(1), platform];
    return exitCode;
  }

  async stop() {
    this.crowd?.stop();
    await this.#load;
    await this.nginx?.stop();
    await Promise.all(this.#pods.map((pod) => pod.kill('SIGKILL')));
  }

  async #startPod(/** @type {string} */ platform, /** @type {number | undefined} */ port) {
    return startPod({
      name: `pod-${platform}`,
      port: port ?? (await getPort({ host: '127.0.0.1' })),
      platform,
      drainSeconds: 1,
      variables: {
        ...this.#stage.variables,
        REPOSITORY: this.repository,
        ...(this.#stage.idleSeconds && { IDLE_SECONDS: String(this.#stage.idleSeconds) }),
      },
    });
  }
}
