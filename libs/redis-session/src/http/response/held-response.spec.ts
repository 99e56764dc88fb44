import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { RawClient } from '../../../../../test/support/http/raw-client.js';
import {
  startRawServer,
  turns,
  type RawServer,
} from '../../../../../test/support/http/raw-server.js';
import { ScriptedCommitter } from '../../../../../test/support/http/scripted-committer.js';
import { CommittedResponse } from './committed-response.js';

let server: RawServer | undefined;
let committer: ScriptedCommitter;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Makes one request and hands the wrapped response to `use`; the commit goes on until `committer.succeed()`. */
async function request<T>(
  use: (response: ServerResponse) => T | Promise<T>,
  method = 'GET',
): Promise<{ client: RawClient; result: T; response: ServerResponse }> {
  committer = new ScriptedCommitter();
  const used = new Promise<{ result: T; response: ServerResponse }>((resolve, reject) => {
    void startRawServer((_, response) => {
      CommittedResponse.attach(response, committer);
      Promise.resolve(use(response)).then((result) => resolve({ result, response }), reject);
    }).then((started) => {
      server = started;
      client = new RawClient(started.port);
      client.ask(method);
    });
  });
  let client!: RawClient;
  return { ...(await used), client };
}

async function finish(client: RawClient): Promise<string> {
  committer.succeed();
  await client.closed;
  return client.received;
}

describe('a held response', () => {
  it('reads as sent', async () => {
    const { client, result } = await request((response) => {
      response.setHeader('X-A', 'a');
      response.end('body');
      return {
        headersSent: response.headersSent,
        writableEnded: response.writableEnded,
        writableFinished: response.writableFinished,
        length: response.writableLength,
        header: response.getHeader('x-a'),
        headers: { ...response.getHeaders() },
      };
    });
    expect(result).toEqual({
      headersSent: true,
      writableEnded: true,
      writableFinished: false,
      length: 4,
      header: 'a',
      headers: { 'x-a': 'a' },
    });
    expect(await finish(client)).toContain('X-A: a\r\n');
  });

  it.each([
    ['setHeader', (response: ServerResponse) => response.setHeader('X-B', 'b')],
    ['appendHeader', (response: ServerResponse) => response.appendHeader('X-B', 'b')],
    ['removeHeader', (response: ServerResponse) => response.removeHeader('X-B')],
    ['setHeaders', (response: ServerResponse) => response.setHeaders(new Map([['X-B', 'b']]))],
    ['a second writeHead', (response: ServerResponse) => response.writeHead(500)],
  ])('lets %s throw as Node does', async (_, change) => {
    const { client, result } = await request((response) => {
      response.write('body');
      try {
        change(response);
      } catch (error) {
        response.end();
        return (error as NodeJS.ErrnoException).code;
      }
      return undefined;
    });
    expect(result).toBe('ERR_HTTP_HEADERS_SENT');
    expect(await finish(client)).toContain('HTTP/1.1 200 OK\r\n');
  });

  it('sends the status of its first byte, and keeps what was assigned later for the app', async () => {
    const { client, response } = await request((held) => {
      held.statusCode = 201;
      held.end('x');
      held.statusCode = 500;
      held.statusMessage = 'Changed';
    });
    expect(await finish(client)).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect([response.statusCode, response.statusMessage]).toEqual([500, 'Changed']);
  });

  it.each([
    [
      'a bad status',
      (response: ServerResponse) => response.writeHead(99),
      'ERR_HTTP_INVALID_STATUS_CODE',
    ],
    [
      'a bad header value',
      (response: ServerResponse) => response.writeHead(200, { 'X-A': 'a\nb' }),
      'ERR_INVALID_CHAR',
    ],
    [
      'a bad header name',
      (response: ServerResponse) => response.writeHead(200, { 'X A': 'a' }),
      'ERR_INVALID_HTTP_TOKEN',
    ],
    [
      'an odd list of headers',
      (response: ServerResponse) => response.writeHead(200, ['X-A']),
      'ERR_INVALID_ARG_VALUE',
    ],
    [
      'a chunk of a wrong type',
      (response: ServerResponse) => response.write(1),
      'ERR_INVALID_ARG_TYPE',
    ],
    ['null', (response: ServerResponse) => response.write(null), 'ERR_STREAM_NULL_VALUES'],
    [
      'a body that is too long under strictContentLength',
      (response: ServerResponse) => {
        response.strictContentLength = true;
        response.writeHead(200, { 'Content-Length': 1 });
        response.end('long');
      },
      'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
    ],
  ])('throws for %s at once', async (_, call, code) => {
    const { result } = await request((response) => {
      try {
        call(response);
        return undefined;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    });
    expect(result).toBe(code);
  });

  it('stays free for another answer when Node refused the first one', async () => {
    const { client } = await request((response) => {
      expect(() => response.writeHead(99)).toThrow();
      response.writeHead(500).end('error page');
    });
    expect(await finish(client)).toMatch(/^HTTP\/1\.1 500 /);
  });

  it('calls the callbacks once, in the order of the calls', async () => {
    const calls: string[] = [];
    const { client } = await request((response) => {
      response.write('a', () => calls.push('first'));
      response.write('b', 'utf8', () => calls.push('second'));
      response.end('c', () => calls.push('end'));
    });
    await turns();
    expect(calls).toEqual([]);
    await finish(client);
    expect(calls).toEqual(['first', 'second', 'end']);
  });

  it('refuses a write after the end as Node does', async () => {
    const codes: (string | undefined)[] = [];
    const keep = (error?: Error | null) => codes.push((error as NodeJS.ErrnoException).code);
    const { client } = await request((response) => {
      response.on('error', keep);
      response.end('x');
      response.write('late', keep);
    });
    await turns();
    expect(codes).toEqual(['ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_WRITE_AFTER_END']);
    expect(await finish(client)).toMatch(/\r\n\r\nx$/);
  });

  it('calls the callback of a second end when the first one is out', async () => {
    let calls = 0;
    const { client } = await request((response) => {
      response.end('x', () => (calls += 1));
      response.end(() => (calls += 1));
    });
    await turns();
    expect(calls).toBe(0);
    await finish(client);
    expect(calls).toBe(2);
  });

  it('emits one drain for a refused write, after the commit', async () => {
    let drains = 0;
    const { client, response } = await request((held) => {
      held.on('drain', () => (drains += 1));
      expect([held.write('a'), held.write('b')]).toEqual([false, false]);
    });
    expect(response.writableNeedDrain).toBe(true);
    await turns();
    expect(drains).toBe(0);
    committer.succeed();
    await turns();
    expect([drains, response.writableNeedDrain]).toEqual([1, false]);
    response.end();
    await client.closed;
    expect(drains).toBe(1);
  });

  it('leaves the drain to the socket when the replay fills it', async () => {
    let drains = 0;
    const { client, response } = await request((held) => {
      held.on('drain', () => (drains += 1));
      held.write(Buffer.alloc(8_000_000));
    });
    client.socket.pause();
    committer.succeed();
    await turns();
    expect([drains, response.writableNeedDrain]).toEqual([0, true]);
    client.socket.resume();
    await once(response, 'drain');
    await turns();
    expect(drains).toBe(1);
    response.end();
    await client.closed;
  });

  it('keeps no more than the high-water mark and one chunk of a fast source', async () => {
    const chunk = Buffer.alloc(65_536);
    let produced = 0;
    let highest = 0;
    const { client, response } = await request((held) => {
      const source = new Readable({
        highWaterMark: chunk.length,
        read() {
          highest = Math.max(highest, held.writableLength);
          this.push(produced < 800 ? chunk : null);
          produced += 1;
        },
      });
      source.pipe(held);
    });
    client.socket.pause();
    await turns();
    expect(response.writableLength).toBe(chunk.length);
    committer.succeed();
    await turns(100);
    client.socket.resume();
    await client.closed;
    expect(client.received.length).toBeGreaterThan(50_000_000);
    expect(highest).toBeLessThanOrEqual(response.writableHighWaterMark + 2 * chunk.length);
  });

  it('keeps the order of pipelined requests on one connection', async () => {
    const committers: ScriptedCommitter[] = [];
    server = await startRawServer((_, response) => {
      const own = new ScriptedCommitter();
      committers.push(own);
      CommittedResponse.attach(response, own);
      response.end(`answer ${committers.length}`);
    });
    const client = new RawClient(server.port);
    client.ask('GET', { close: false });
    client.ask('GET', { close: false });
    client.ask('GET');
    while (committers.length < 3) await turns(1);
    committers[2]!.succeed();
    committers[1]!.succeed();
    await turns();
    expect(client.received).toBe('');
    committers[0]!.succeed();
    await client.closed;
    expect(client.received.match(/answer \d/g)).toEqual(['answer 1', 'answer 2', 'answer 3']);
  });

  it('passes 1xx responses at once', async () => {
    const { client } = await request((response) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.end('x');
    });
    expect(await client.receives('103 Early Hints')).not.toContain('200 OK');
    expect(await finish(client)).toContain('200 OK');
  });

  it.each([
    [
      'setHeader',
      (response: ServerResponse, shared: string[]) => response.setHeader('Set-Cookie', shared),
    ],
    [
      'writeHead',
      (response: ServerResponse, shared: string[]) =>
        response.writeHead(200, { 'Set-Cookie': shared }),
    ],
  ])('keeps its cookie out of an array that the app shares: %s', async (_, answer) => {
    const shared = ['theme=dark'];
    const { client } = await request((response) => {
      committer.cookies.push('session=a');
      answer(response, shared);
      response.end();
    });
    expect(await finish(client)).toContain('Set-Cookie: theme=dark\r\nSet-Cookie: session=a\r\n');
    expect(shared).toEqual(['theme=dark']);
  });

  it('saves again what was changed between the first byte and the end', async () => {
    const { client } = await request((response) => {
      response.write('x');
      committer.isDirty = true;
      response.end();
    });
    committer.isDirty = true;
    committer.succeed();
    await turns();
    expect(client.received).toBe('');
    expect(await finish(client)).toContain('200 OK');
    expect(committer.history).toEqual(['commit', 'commit']);
  });
});
