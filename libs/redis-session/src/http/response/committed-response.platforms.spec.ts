import { afterEach, describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { once } from 'node:events';
import {
  connect,
  createServer,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Server,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { turns } from '../../../../../test/support/http/raw-server.js';
import { ScriptedCommitter } from '../../../../../test/support/http/scripted-committer.js';
import { CommittedResponse } from './committed-response.js';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Http2Answer {
  readonly status: unknown;
  readonly headers: Record<string, unknown>;
  readonly trailers: Record<string, unknown>;
  readonly body: string;
  readonly errorCode: number;
}

async function collect(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let headers: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  let body = '';
  stream.on('response', (fields: Record<string, unknown>) => (headers = { ...fields }));
  stream.on('trailers', (fields: Record<string, unknown>) => (trailers = { ...fields }));
  stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
  stream.on('error', () => undefined);
  stream.end();
  await new Promise<void>((resolve) => stream.once('close', resolve));
  delete headers['date'];
  return { status: headers[':status'], headers, trailers, body, errorCode: stream.rstCode };
}

async function http2Request(
  answer: (response: Http2ServerResponse) => unknown,
  committer?: ScriptedCommitter,
  method = 'GET',
): Promise<{
  stream: ClientHttp2Stream;
  answered: Promise<Http2Answer>;
  response: Http2ServerResponse;
}> {
  const server: Http2Server = createServer();
  const responded = new Promise<Http2ServerResponse>((resolve) => {
    server.on('request', (_, response) => {
      if (committer) CommittedResponse.attach(response, committer);
      void answer(response);
      resolve(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  const session: ClientHttp2Session = connect(
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );
  closers.push(() => {
    session.destroy();
  });
  const stream = session.request({ ':path': '/', ':method': method });
  const answered = collect(stream);
  return { stream, answered, response: await responded };
}

/** The compatibility API has it, its types do not. */
interface Flushing {
  flushHeaders(): void;
}

function answerLater(response: Http2ServerResponse): void {
  (response as unknown as Flushing).flushHeaders();
  setImmediate(() => response.end('later'));
}

function answerWithTrailers(response: Http2ServerResponse): void {
  response.write('a');
  response.addTrailers({ 'x-sum': '1' });
  response.end();
}

const HTTP2_WAYS: [string, (response: Http2ServerResponse) => unknown, string][] = [
  ['end with a body', (res) => res.end('x'), 'GET'],
  ['end without a body', (res) => res.end(), 'GET'],
  ['writeHead and end', (res) => res.writeHead(404, { 'X-A': ['a', 'b'] }).end('none'), 'GET'],
  [
    'pairs of headers',
    (res) =>
      res
        .writeHead(200, [
          ['x-a', '1'],
          ['x-a', '2'],
        ] as never)
        .end(),
    'GET',
  ],
  ['writes', (res) => [res.write('a'), res.write('b'), res.end('c')], 'GET'],
  ['a pipe', (res) => Readable.from(['a', 'b', 'c']).pipe(res), 'GET'],
  ['204', (res) => res.writeHead(204).end(), 'GET'],
  ['HEAD', (res) => res.end('x'), 'HEAD'],
  ['flushHeaders', answerLater, 'GET'],
  ['trailers', answerWithTrailers, 'GET'],
];

describe('CommittedResponse over HTTP/2', () => {
  it.each(HTTP2_WAYS)('sends the same answer, held or not: %s', async (_, answer, method) => {
    const plain = await (await http2Request(answer, undefined, method)).answered;
    const clean = new ScriptedCommitter({ isDirty: false });
    expect(await (await http2Request(answer, clean, method)).answered).toEqual(plain);
    const committer = new ScriptedCommitter();
    const held = await http2Request(answer, committer, method);
    await committer.started();
    await turns();
    expect(held.response.stream.sentHeaders).toBeUndefined();
    committer.succeed();
    expect(await held.answered).toEqual(plain);
  });

  it('reads as sent while it is held, and adds its cookie', async () => {
    const committer = new ScriptedCommitter({ cookies: ['session=a'] });
    const { answered, response } = await http2Request((res) => {
      res.setHeader('set-cookie', 'theme=dark');
      res.end('body');
    }, committer);
    expect([response.headersSent, response.writableEnded, response.writableLength]).toEqual([
      true,
      true,
      4,
    ]);
    expect(() => {
      response.setHeader('x-a', 'a');
    }).toThrow(expect.objectContaining({ code: 'ERR_HTTP2_HEADERS_SENT' }));
    committer.succeed();
    expect((await answered).headers['set-cookie']).toEqual(['theme=dark', 'session=a']);
  });

  it('is replaced when the session could not be saved', async () => {
    const committer = new ScriptedCommitter();
    const { answered } = await http2Request((res) => {
      res.writeHead(200, { 'x-a': 'a' });
      res.addTrailers({ 'x-sum': '1' });
      res.end('body');
    }, committer);
    committer.fail();
    const answer = await answered;
    expect(answer).toMatchObject({ status: 503, body: 'not saved', errorCode: 0 });
    expect(answer.trailers).toEqual({});
    expect(answer.headers).not.toHaveProperty('x-a');
  });

  it('is reset when a late change could not be saved', async () => {
    const committer = new ScriptedCommitter({ isDirty: false });
    const { answered, response, stream } = await http2Request((res) => res.write('one'), committer);
    await once(stream, 'data');
    committer.isDirty = true;
    response.end('two');
    committer.fail();
    expect(await answered).toMatchObject({ body: 'one', errorCode: 2 });
    expect(committer.lateFailures).toHaveLength(1);
  });

  it('saves although the client is gone', async () => {
    const committer = new ScriptedCommitter();
    const { stream } = await http2Request(() => undefined, committer);
    stream.close();
    await committer.started();
    committer.succeed();
    expect(committer.history).toEqual(['commit']);
  });
});

describe('CommittedResponse under Fastify', () => {
  async function request(committer: ScriptedCommitter, url: string): Promise<Response> {
    const instance = fastify();
    closers.push(() => instance.close());
    instance.addHook('onRequest', (_, reply, done) => {
      CommittedResponse.attach(reply.raw, committer);
      done();
    });
    instance.get('/json', (_, reply) => reply.header('set-cookie', 'theme=dark').send({ ok: 1 }));
    instance.get('/stream', (_, reply) => reply.send(Readable.from(['a', 'b'])));
    await instance.listen({ host: '127.0.0.1', port: 0 });
    const { port } = instance.server.address() as AddressInfo;
    return fetch(`http://127.0.0.1:${port}${url}`);
  }

  it.each([
    ['/json', '{"ok":1}', ['theme=dark', 'session=a']],
    ['/stream', 'ab', ['session=a']],
  ])('answers with its own headers and ours: %s', async (url, body, cookies) => {
    const committer = new ScriptedCommitter({ cookies: ['session=a'] });
    const answered = request(committer, url);
    await committer.started();
    committer.succeed();
    const answer = await answered;
    expect([answer.status, await answer.text()]).toEqual([200, body]);
    expect(answer.headers.getSetCookie()).toEqual(cookies);
  });

  it.each(['/json', '/stream'])('replaces what cannot be saved: %s', async (url) => {
    const committer = new ScriptedCommitter();
    const answered = request(committer, url);
    await committer.started();
    committer.fail();
    const answer = await answered;
    expect([answer.status, await answer.text()]).toEqual([503, 'not saved']);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });
});
