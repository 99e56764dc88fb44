import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const READY_WITHIN_MS = 15_000;
const ASK_AGAIN_AFTER_MS = 20;

/**
 * Asks `isReady` until it answers true.
 *
 * @param {string} name - what is waited for, as an error message calls it
 * @param {import('./background-process.mjs').BackgroundProcess} server
 * @param {() => Promise<boolean>} isReady - a rejection counts as "not yet"
 * @param {number} [withinMs] - 15 s unless it is a program that needs longer
 * @returns {Promise<void>}
 * @throws {Error} with the server's last output, when it ends first or is not ready in time; it is stopped then
 */
export async function waitUntilReady(name, server, isReady, withinMs = READY_WITHIN_MS) {
  const giveUpAt = Date.now() + withinMs;
  while (!(await isReady().catch(() => false))) {
    if (server.hasExited())
      throw new Error(`Cannot start ${name}: it ended at once. ${server.output()}`);
    if (Date.now() > giveUpAt) {
      await server.kill('SIGKILL');
      throw new Error(`Cannot start ${name}: no answer after ${withinMs} ms. ${server.output()}`);
    }
    await delay(ASK_AGAIN_AFTER_MS);
  }
}

/**
 * Waits until something accepts connections on a port of 127.0.0.1.
 *
 * @param {string} name
 * @param {import('./background-process.mjs').BackgroundProcess} server
 * @param {number} port
 * @returns {Promise<void>}
 * @throws {Error} as {@link waitUntilReady}
 */
export function waitUntilListening(name, server, port) {
  return waitUntilReady(name, server, () => listens(port));
}

/** @returns {Promise<boolean>} */
function listens(/** @type {number} */ port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', reject);
  });
}
