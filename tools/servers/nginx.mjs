import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { startBackgroundProcess } from './background-process.mjs';
import { waitUntilListening } from './wait-until-ready.mjs';

export const TEMPLATE = new URL('../../deploy/nginx.conf', import.meta.url);

/**
 * An nginx of our own on 127.0.0.1 in front of the replicas.
 *
 * @typedef {object} Nginx
 * @property {number} port
 * @property {string} url - `http://127.0.0.1:<port>`
 * @property {(ports: readonly number[]) => Promise<void>} useUpstreams - replaces the upstreams by a reload, which fails no
 *   request; the old worker may still send requests to the old upstreams for a moment
 * @property {() => Promise<void>} stop - ends it and removes its folder
 */

/**
 * Starts nginx with `deploy/nginx.conf` in front of ports of 127.0.0.1 and waits until it listens.
 *
 * @param {{ upstreamPorts: readonly number[], port?: number, isSticky?: boolean }} options - without `port` on a free
 *   one; `isSticky` keeps each browser on one upstream while that one is up
 * @returns {Promise<Nginx>}
 */
export async function startNginx({ upstreamPorts, port, isSticky = false }) {
  const pods = (/** @type {readonly number[]} */ ports) => ({ PODS: upstream(ports, isSticky) });
  const nginx = await startNginxWith(TEMPLATE, pods(upstreamPorts), { port });
  return { ...nginx, useUpstreams: (ports) => nginx.reconfigure(pods(ports)) };
}

/**
 * Starts nginx with a template in which `${LISTEN}` and the names of `variables` are filled in.
 *
 * @param {URL} template
 * @param {Record<string, string>} variables
 * @param {{ port?: number, program?: string }} [options] - without `port` on a free one; without `program` that of the PATH
 */
export async function startNginxWith(template, variables, { port, program = 'nginx' } = {}) {
  const usedPort = port ?? (await getPort({ host: '127.0.0.1' }));
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  // Started by root, nginx serves as another user, who must be able to reach the temporary files.
  await chmod(folder, 0o755);
  const configure = async (/** @type {Record<string, string>} */ values) => {
    const all = { ...values, LISTEN: `127.0.0.1:${usedPort}` };
    const text = fillIn(await readFile(template, 'utf8'), all);
    await writeFile(join(folder, 'nginx.conf'), text);
  };
  await configure(variables);
  const args = ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf', '-g', 'daemon off;'];
  const server = startBackgroundProcess(program, args, {
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
  });
  await waitUntilListening('nginx', server, usedPort);
  return {
    port: usedPort,
    url: `http://127.0.0.1:${usedPort}`,
    reconfigure: async (/** @type {Record<string, string>} */ values) => {
      await configure(values);
      await server.kill('SIGHUP');
    },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The contents of nginx's `upstream` block. */
function upstream(/** @type {readonly number[]} */ ports, /** @type {boolean} */ isSticky) {
  const balancing = isSticky ? ['hash "$remote_addr $http_user_agent" consistent;'] : [];
  const servers = ports.map((port) => `server 127.0.0.1:${port} max_fails=3 fail_timeout=2s;`);
  return [...balancing, ...servers].join(' ');
}

/** Replaces each `${NAME}` of the template, as the envsubst of the nginx image does. */
function fillIn(/** @type {string} */ template, /** @type {Record<string, string>} */ variables) {
  return Object.entries(variables).reduce(
    (text, [name, value]) => text.replaceAll(`\${${name}}`, value),
    template,
  );
}
