import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { type Nginx, startNginx } from '../../tools/servers/nginx.mjs';
import { send } from '../support/http/http-client.js';

const REQUESTS = 10;

/** What each replica has received, by the first line. */
let received: string[];
let servers: Server[];
let nginx: Nginx;

beforeEach(() => {
  received = [];
  servers = [];
});

afterEach(async () => {
  await nginx.stop();
  for (const server of servers) server.close();
});

/** A replica that answers, or one that dies when it has received a request. */
async function startReplica(answers = true): Promise<number> {
  const server = createServer((request, response) => {
    received.push(`${request.method} ${request.url}`);
    request.resume();
    if (answers) response.end('done');
    else request.socket.destroy();
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function statusesOf(line: 'GET /' | 'POST /'): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < REQUESTS)
    statuses.push((await send(nginx.port, line, {}, { body: 'tea' })).status);
  return statuses;
}

describe('deploy/nginx.conf', () => {
  it('never sends a POST to the other replica when one has received it and dies', async () => {
    nginx = await startNginx({ upstreamPorts: [await startReplica(), await startReplica(false)] });
    const statuses = await statusesOf('POST /');

    expect(statuses).toContain(502);
    expect(received).toHaveLength(REQUESTS);
  });

  it('lets the other replica answer a GET when one dies', async () => {
    nginx = await startNginx({ upstreamPorts: [await startReplica(), await startReplica(false)] });

    expect(new Set(await statusesOf('GET /'))).toEqual(new Set([200]));
    expect(received.length).toBeGreaterThan(REQUESTS);
  });

  it('lets the other replica answer a POST when one is not there', async () => {
    const gone = await startReplica();
    const [server] = servers;
    await new Promise((closed) => server?.close(closed));
    nginx = await startNginx({ upstreamPorts: [gone, await startReplica()] });

    expect(new Set(await statusesOf('POST /'))).toEqual(new Set([200]));
  });

  it('lets WebSockets through', async () => {
    const port = await startReplica();
    const [server] = servers;
    if (!server) throw new Error('There is no replica.');
    new WebSocketServer({ server }).on('connection', (socket) => {
      socket.on('message', (message) => socket.send(message, { binary: false }));
    });
    nginx = await startNginx({ upstreamPorts: [port] });
    const client = new WebSocket(`ws://127.0.0.1:${nginx.port}/`);
    await once(client, 'open');
    client.send('tea');

    const [message] = (await once(client, 'message')) as [Buffer];
    expect(message.toString()).toBe('tea');
    client.terminate();
  });
});
