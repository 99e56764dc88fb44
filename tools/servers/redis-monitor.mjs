import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * Tells of every command that clients send to a Redis, from the moment at which this resolves; commands inside Lua
 * scripts are left out.
 *
 * ioredis has a `monitor()`, which fails when the first command comes together with the answer to MONITOR.
 *
 * @param {string} url - without user and password
 * @param {(command: string[], bytes: number) => void} onCommand - name, as the client wrote it, and arguments; what it takes
 *   on the connection
 * @returns {Promise<{ stop(): void }>}
 */
export async function monitorCommands(url, onCommand) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const lines = createInterface({ input: socket.setEncoding('latin1') });
  socket.write('MONITOR\r\n');
  const [answer] = await once(lines, 'line');
  if (answer !== '+OK')
    throw new Error(`Cannot watch Redis: it answers ${answer}. Use one without a password.`);
  lines.on('line', (line) => {
    const [, source, command] = /^\+[\d.]+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? [];
    if (command === undefined || source === 'lua') return;
    const parts = bytesOfArguments(command);
    onCommand(
      parts.map((part) => part.toString()),
      lengthInProtocol(parts),
    );
  });
  return { stop: () => socket.destroy() };
}

const ESCAPES = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };

/** @returns {Buffer[]} */
function bytesOfArguments(/** @type {string} */ text) {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, quoted]) => {
    const bytes = quoted.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex, character) =>
      hex ? String.fromCharCode(parseInt(hex, 16)) : (ESCAPES[character] ?? character),
    );
    return Buffer.from(bytes, 'latin1');
  });
}

/** Bytes of a command in RESP: an array of bulk strings. */
function lengthInProtocol(/** @type {readonly Buffer[]} */ parts) {
  return parts.reduce(
    (sum, { length }) => sum + `$${length}\r\n\r\n`.length + length,
    `*${parts.length}\r\n`.length,
  );
}
