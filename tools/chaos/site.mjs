import getPort from 'get-port';
import { startNginx } from '../servers/nginx.mjs';
import { startPod } from '../servers/pod.mjs';
import { Crowd } from './crowd.mjs';

/** @typedef {import('./stages/stage.mjs').Stage} Stage */

/** Two replicas of the demo behind nginx on the Redis of a stage, and their users. */
export class Site {
  /** @type {import('../servers/pod.mjs').Pod[]} */
  #pods = [];
  /** @type {Promise<void> | undefined} */
  #load;
  #stage;
  #platforms;

  /** @param {Stage} stage @param {string} platform - `mixed` is one replica on each */
  constructor(stage, platform) {
    this.#stage = stage;
    this.#platforms = platform === 'mixed' ? ['express', 'fastify'] : [platform, platform];
  }

  async start() {
    for (const platform of this.#platforms) this.#pods.push(await this.#startPod(platform));
    this.nginx = await startNginx({ upstreamPorts: this.#pods.map(({ port }) => port) });
    this.crowd = new Crowd(this.nginx.url);
    this.#load = this.crowd.run();
  }

  /** Ends a replica by `signal` and starts another one in its place; nginx is not told. */
  async replacePod(/** @type {NodeJS.Signals} */ signal) {
    const [old] = this.#pods;
    await old.kill(signal);
    await old.exited;
    const [platform] = this.#platforms;
    this.#pods = [...this.#pods.slice(1), await this.#startPod(platform, old.port)];
    // The other one is the next.
    this.#platforms = [...this.#platforms.slice(1), platform];
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
      variables: this.#stage.variables,
    });
  }
}
