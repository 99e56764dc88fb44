import assert from 'node:assert/strict';
import { URL } from 'node:url';
import getPort from 'get-port';
import { startBackgroundProcess } from '../servers/background-process.mjs';
import { waitUntilListening } from '../servers/wait-until-ready.mjs';

/**
 * Starts two processes of a built application: who logs in on the first is known on the second.
 *
 * @param {string} app
 * @param {string} redisUrl
 * @param {{ command?: string[], adminPath?: string }} [options] - how to start it, and a page that the user may not see
 */
export async function checkLogin(app, redisUrl, { command, adminPath } = {}) {
  const start = () => startApplication(app, redisUrl, command);
  const processes = await Promise.all([start(), start()]);
  const [first, second] = processes;
  try {
    const login = await fetch(new URL('/login', first.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'kim', password: 'kim' }),
    });
    assert.equal(login.status, 201, 'the login is answered');
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    await expectStatus(new URL('/members', second.url), cookie, 200);
    if (adminPath) await expectStatus(new URL(adminPath, second.url), cookie, 403);
    await expectStatus(new URL('/members', second.url), '', 401);
  } finally {
    await Promise.all(processes.map(({ stop }) => stop()));
  }
}

/**
 * Starts one process of a built application on a free port.
 *
 * @param {string} app
 * @param {string} redisUrl
 * @param {string[]} [command] - `node dist/main` unless it is another
 */
export async function startApplication(app, redisUrl, [file, ...args] = ['node', 'dist/main']) {
  const port = await getPort({ host: '127.0.0.1' });
  // `nest add --migrate` reads the secret of the library before it.
  const env = { PORT: String(port), REDIS_URL: redisUrl, SESSION_SECRET: 'of an old application' };
  const server = startBackgroundProcess(file ?? 'node', args, { cwd: app, env });
  await waitUntilListening(`the application in ${app}`, server, port);
  return { url: `http://127.0.0.1:${port}`, stop: server.stop };
}

async function expectStatus(
  /** @type {URL} */ url,
  /** @type {string} */ cookie,
  /** @type {number} */ status,
) {
  const response = await fetch(url, { headers: { cookie } });
  assert.equal(response.status, status, `GET ${url.pathname}`);
}
