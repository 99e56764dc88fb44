import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { startBackgroundProcess } from './background-process.mjs';
import { waitUntilListening } from './wait-until-ready.mjs';

const TEMPLATE = new URL('../../deploy/nginx.conf', import.meta.url);

/**
 * An nginx of our own on 127.0.0.1 that alternates between the upstreams.
 *
 * @typedef {object} Nginx
 * @property {number} port
 * @property {string} url - `http://127.0.0.1:<port>`
 * @property {() => Promise<void>} stop - ends it and removes its folder
 */

/**
 * Starts nginx with `deploy/nginx.conf` in front of two ports of 127.0.0.1 and waits until it listens.
 *
 * @param {{ upstreamPorts: readonly [number, number], port?: number }} options - without `port` on a free one
 * @returns {Promise<Nginx>}
 */
export async function startNginx({ upstreamPorts: [podA, podB], port }) {
  const usedPort = port ?? (await getPort({ host: '127.0.0.1' }));
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  // Started by root, nginx serves as another user, who must be able to reach the temporary files.
  await chmod(folder, 0o755);
  const variables = { PORT: `${usedPort}`, POD_A: `127.0.0.1:${podA}`, POD_B: `127.0.0.1:${podB}` };
  await writeFile(join(folder, 'nginx.conf'), fillIn(await readFile(TEMPLATE, 'utf8'), variables));
  const args = ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf', '-g', 'daemon off;'];
  const server = startBackgroundProcess('nginx', args, {
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
  });
  await waitUntilListening('nginx', server, usedPort);
  return {
    port: usedPort,
    url: `http://127.0.0.1:${usedPort}`,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Replaces each `${NAME}` of the template, as the envsubst of the nginx image does. */
function fillIn(/** @type {string} */ template, /** @type {Record<string, string>} */ variables) {
  return Object.entries(variables).reduce(
    (text, [name, value]) => text.replaceAll(`\${${name}}`, value),
    template,
  );
}
