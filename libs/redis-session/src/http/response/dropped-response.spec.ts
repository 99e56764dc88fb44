import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RawClient } from '../../../../../test/support/http/raw-client.js';
import {
  startRawServer,
  turns,
  type RawServer,
} from '../../../../../test/support/http/raw-server.js';
import { ScriptedCommitter } from '../../../../../test/support/http/scripted-committer.js';
import { CommittedResponse } from './committed-response.js';

const REPLACED =
  /^HTTP\/1\.1 503 Service Unavailable\r\n[\s\S]*Content-Length: 9\r\n[\s\S]*\r\n\r\nnot saved$/;
let server: RawServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

interface Exchange {
  readonly client: RawClient;
  readonly response: ServerResponse;
  readonly committer: ScriptedCommitter;
}

async function request(
  use: (response: ServerResponse) => unknown,
  { method = 'GET', isDirty = true, version = '1.1', close = true } = {},
): Promise<Exchange> {
  const committer = new ScriptedCommitter({ isDirty });
  let respond: (response: ServerResponse) => void;
  const responded = new Promise<ServerResponse>((resolve) => (respond = resolve));
  server = await startRawServer((_, response) => {
    CommittedResponse.attach(response, committer);
    void use(response);
    respond(response);
  });
  const client = new RawClient(server.port);
  client.ask(method, { version, close });
  return { client, committer, response: await responded };
}

function endlessSource(): Readable {
  return new Readable({
    read() {
      setImmediate(() => this.push('more'));
    },
  });
}

describe('a response whose session could not be saved', () => {
  it('is replaced, with nothing left of its own headers', async () => {
    const { client, committer } = await request((response) => {
      response.setHeader('Set-Cookie', 'secret=1');
      response.statusMessage = 'Great';
      response.writeHead(200, { 'X-A': 'a', 'Content-Encoding': 'gzip', 'Content-Length': 4 });
      response.end('body');
    });
    committer.fail();
    await client.closed;
    expect(client.received).toMatch(REPLACED);
    expect(client.received).not.toMatch(/secret|X-A|gzip|body/);
    expect(committer.lateFailures).toEqual([]);
  });

  it('has no body in answer to HEAD', async () => {
    const { client, committer } = await request((response) => response.end('x'), {
      method: 'HEAD',
    });
    committer.fail();
    await client.closed;
    expect(client.received).toMatch(/^HTTP\/1\.1 503 [\s\S]*Content-Length: 9\r\n[\s\S]*\r\n\r\n$/);
  });

  it('leaves the connection usable', async () => {
    const { client, committer } = await request((response) => response.end('x'), { close: false });
    committer.fail();
    await client.receives('not saved');
    client.ask();
    await client.closed;
    expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 503', 'HTTP/1.1 200']);
  });

  it('tells every callback, in order', async () => {
    const told: string[] = [];
    const tell = (name: string) => (error?: Error | null) =>
      told.push(`${name} ${String((error as NodeJS.ErrnoException).code)}`);
    const { client, committer, response } = await request((held) => {
      held.write('a', tell('write'));
      held.end('b', tell('end'));
    });
    committer.fail();
    await client.closed;
    response.write('late', tell('late'));
    await turns();
    expect(told).toEqual([
      'write ERR_SESSION_RESPONSE_DROPPED',
      'end ERR_SESSION_RESPONSE_DROPPED',
      'late ERR_SESSION_RESPONSE_DROPPED',
    ]);
  });

  it('swallows what the app still does with it', async () => {
    const { client, committer, response } = await request((held) => held.write('a'));
    committer.fail();
    await turns();
    expect(response.headersSent).toBe(true);
    expect(response.write('b')).toBe(false);
    response.flushHeaders();
    response.writeHead(200).end('c');
    await client.closed;
    expect(client.received).toMatch(REPLACED);
  });

  it('stops a pipe and destroys its source', async () => {
    const source = endlessSource();
    const { client, committer } = await request((response) => source.pipe(response));
    await committer.started();
    committer.fail();
    await client.closed;
    await turns();
    expect(client.received).toMatch(REPLACED);
    expect([source.destroyed, source.listenerCount('data')]).toEqual([true, 0]);
  });

  it('does not destroy a source that is read elsewhere too', async () => {
    const source = endlessSource();
    const { client, committer } = await request((response) => source.pipe(response));
    source.on('data', () => undefined);
    await committer.started();
    committer.fail();
    await client.closed;
    await turns();
    expect(source.destroyed).toBe(false);
    source.destroy();
  });

  it('settles a pipeline and destroys its source', async () => {
    const source = endlessSource();
    let outcome: Promise<unknown> | undefined;
    const { client, committer } = await request((response) => {
      outcome = pipeline(source, response).catch((error: unknown) => error);
    });
    await committer.started();
    committer.fail();
    await client.closed;
    expect(await outcome).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
    expect(client.received).toMatch(REPLACED);
    expect(source.destroyed).toBe(true);
  });

  it.each(['needsCommit', 'commit', 'hasHeadersToWrite', 'writeHeaders'] as const)(
    'is replaced when %s throws',
    async (method) => {
      const isDirty = method === 'commit';
      const committer = new ScriptedCommitter({ isDirty, cookies: ['session=a'] });
      committer[method] = () => {
        throw new Error('broken');
      };
      server = await startRawServer((_, response) => {
        CommittedResponse.attach(response, committer);
        response.end('x');
      });
      const other = new RawClient(server.port);
      other.ask();
      await other.closed;
      expect(other.received).toMatch(REPLACED);
    },
  );

  it('is a bare 503 when the replacement cannot be described', async () => {
    const { client, committer } = await request((response) => response.end('x'));
    committer.describeFailure = () => {
      throw new Error('broken');
    };
    committer.fail();
    await client.closed;
    expect(client.received).toMatch(/^HTTP\/1\.1 503 [\s\S]*Content-Length: 0\r\n/);
    expect(committer.lateFailures).toHaveLength(1);
  });
});

describe('a change after the first byte', () => {
  async function changeLate(
    beginning: (response: ServerResponse) => void,
    last: (response: ServerResponse) => void,
    options = {},
  ): Promise<Exchange> {
    const exchange = await request(beginning, { isDirty: false, ...options });
    await turns();
    exchange.committer.isDirty = true;
    last(exchange.response);
    await exchange.committer.started();
    return exchange;
  }

  it('is saved before the end of the response leaves', async () => {
    const { client, committer, response } = await changeLate(
      (late) => late.write('one'),
      (late) => late.end('two'),
    );
    await turns();
    expect(client.received).toMatch(/3\r\none\r\n$/);
    expect([response.writableEnded, response.writableFinished]).toEqual([true, false]);
    committer.succeed();
    await client.closed;
    expect(client.received).toMatch(/3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n$/);
  });

  it('is saved before the last byte of an announced Content-Length leaves', async () => {
    const { client, committer, response } = await changeLate(
      (late) => late.writeHead(200, { 'Content-Length': 6 }).write('one'),
      (late) => late.write('two'),
    );
    await turns();
    expect(client.received).toMatch(/\r\n\r\none$/);
    response.end();
    committer.succeed();
    await client.closed;
    expect(client.received).toMatch(/\r\n\r\nonetwo$/);
  });

  it('lets a byte before the last of an announced Content-Length pass', async () => {
    const { client, committer, response } = await request(
      (late) => late.writeHead(200, { 'Content-Length': 6 }).write('one'),
      { isDirty: false },
    );
    await turns();
    committer.isDirty = true;
    response.write('tw');
    expect(await client.receives('onetw')).toMatch(/onetw$/);
    expect(committer.history).toEqual([]);
  });

  it.each([
    ['a chunked body', (response: ServerResponse) => response.write('one'), '1.1'],
    [
      'a body of known length',
      (response: ServerResponse) => response.writeHead(200, { 'Content-Length': 6 }).write('one'),
      '1.1',
    ],
    [
      'a body that ends with the connection',
      (response: ServerResponse) => response.write('one'),
      '1.0',
    ],
  ])('that cannot be saved breaks off %s', async (_, beginning, version) => {
    const { client, committer } = await changeLate(beginning, (late) => late.end('two'), {
      version,
    });
    const error = new Error('Redis is down');
    committer.fail(error);
    await client.closed;
    expect(client.received).toMatch(version === '1.0' ? /one$/ : /one(\r\n)?$/);
    expect(client.wasReset || version === '1.1').toBe(true);
    expect(committer.lateFailures).toEqual([error]);
  });
});

describe('a client that is gone', () => {
  it('does not keep a change from being saved', async () => {
    const { client, committer, response } = await request(() => undefined, { isDirty: true });
    client.socket.destroy();
    await once(response, 'close');
    await committer.started();
    expect(committer.history).toEqual(['commit']);
    committer.fail();
    await committer.failedLate();
    expect(committer.lateFailures).toHaveLength(1);
  });

  it('does not keep a change from being saved that is made later', async () => {
    const { client, committer, response } = await request(() => undefined, { isDirty: false });
    client.socket.destroy();
    await once(response, 'close');
    committer.isDirty = true;
    response.end('x');
    await committer.started();
    expect(committer.history).toEqual(['commit']);
    committer.succeed();
  });

  it.each(['succeed', 'fail'] as const)(
    'drops what is held when the commit is done (%s)',
    async (outcome) => {
      const codes: (string | undefined)[] = [];
      const { client, committer, response } = await request((held) => {
        held.write('a', (error) => codes.push((error as NodeJS.ErrnoException).code));
        held.end('b', () => codes.push('end'));
      });
      client.socket.destroy();
      await once(response, 'close');
      expect(codes).toEqual([]);
      committer[outcome]();
      await turns();
      expect(codes).toEqual(['ERR_SESSION_RESPONSE_DROPPED', 'end']);
      expect(response.writableEnded).toBe(true);
      expect(committer.lateFailures).toHaveLength(outcome === 'fail' ? 1 : 0);
    },
  );

  it('settles a held pipeline', async () => {
    let outcome: Promise<unknown> | undefined;
    const source = endlessSource();
    const { client, committer } = await request((response) => {
      outcome = pipeline(source, response).catch((error: unknown) => error);
    });
    client.socket.destroy();
    expect(await outcome).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
    committer.succeed();
    expect(source.destroyed).toBe(true);
  });
});
