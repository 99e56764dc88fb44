import { execa } from 'execa';

const OUTPUT_LIMIT = 4_000;

/**
 * A server that runs as a child process and cannot outlive this process.
 *
 * @typedef {object} BackgroundProcess
 * @property {number} pid
 * @property {Promise<number | undefined>} exited - resolves when the process has ended, for whatever reason, with the exit
 *   code; undefined when a signal ended it
 * @property {() => boolean} hasExited
 * @property {() => string} output - the end of what it wrote to stdout and stderr
 * @property {(signal: NodeJS.Signals) => Promise<void>} kill - sends the signal; after SIGKILL waits for the end
 * @property {() => Promise<void>} stop - SIGTERM, SIGKILL after `stopWithinMs`, and waits for the end
 */

/**
 * Starts a program in the background.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, stopWithinMs?: number }} [options] - `stopWithinMs` is 5,000
 * @returns {BackgroundProcess}
 */
export function startBackgroundProcess(file, args, { stopWithinMs = 5_000, ...options } = {}) {
  const child = execa(file, args, {
    ...options,
    all: true,
    buffer: false,
    reject: false,
    stdin: 'ignore',
    // In a process group of its own: Ctrl-C reaches only us, and we stop the servers in the right order.
    detached: true,
    // Only `stop` is in a hurry: a test that sends SIGTERM watches how the process ends by itself.
    forceKillAfterDelay: false,
  });
  let output = '';
  let hasExited = false;
  child.all
    .setEncoding('utf8')
    .on('data', (text) => (output = (output + text).slice(-OUTPUT_LIMIT)));
  const guard = child.pid === undefined ? undefined : killWithParent(child.pid);
  const exited = child.then(({ message, exitCode }) => {
    hasExited = true;
    output ||= message ?? '';
    guard?.kill('SIGKILL');
    return exitCode;
  });
  const kill = async (/** @type {NodeJS.Signals} */ signal) => {
    if (hasExited) return;
    child.kill(signal);
    if (signal === 'SIGKILL') await exited;
  };
  const stop = async () => {
    if (hasExited) return;
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
    await exited;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? -1,
    exited,
    hasExited: () => hasExited,
    output: () => output,
    kill,
    stop,
  };
}

/**
 * Starts a shell that ends the process `pid` as soon as this process is gone, even when it was killed and
 * could not clean up: then the pipe to the shell breaks and its `read` returns.
 */
function killWithParent(/** @type {number} */ pid) {
  const guard = execa('sh', ['-c', 'read -r _; kill -9 "$0"', String(pid)], {
    detached: true,
    cleanup: false,
    reject: false,
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  guard.unref();
  /** @type {import('node:net').Socket} */ (/** @type {unknown} */ (guard.stdin)).unref();
  return guard;
}
