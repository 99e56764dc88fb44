import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import { PostgresClient } from '../../libs/redis-session/src/postgres/postgres-client.js';
import { SessionStoreError } from '../../libs/redis-session/src/session/session.errors.js';

/** A message of PostgreSQL: its letter, its length and the rest. */
function message(letter: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length + 4);
  return Buffer.concat([Buffer.from(letter), length, content]);
}

const OPENED = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]);
const ENDED = message(
  'E',
  Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
);

let server: Server;
let pool: Pool;

beforeEach(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([OPENED, ENDED])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  pool = new Pool({ host: '127.0.0.1', port, user: 'kim', database: 'shop' });
  pool.on('error', () => undefined);
});

afterEach(async () => {
  await pool.end();
  await new Promise((resolve) => server.close(resolve));
});

it('a connection that is ended in the packet that opens it fails its statement, not the process', async () => {
  const client = new PostgresClient(pool, 10_000);
  const statement = { name: 'one', text: 'SELECT 1' };
  for (let i = 0; i < 3; i++)
    await expect(client.run('read the session', statement, [])).rejects.toThrow(SessionStoreError);
});
