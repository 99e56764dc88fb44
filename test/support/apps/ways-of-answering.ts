import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** One way in which an app may answer a request. */
export interface WayOfAnswering {
  readonly title: string;
  readonly answer: (response: ServerResponse) => unknown;
  readonly method?: string;
  readonly version?: string;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const bytes = (length: number, index: number) => Buffer.alloc(length, `${index}-`);
const bigSource = () =>
  Readable.from(
    Array.from({ length: 80 }, (_, index) => bytes(65_536, index)),
    { objectMode: false, highWaterMark: 65_536 },
  );

function answerJson(response: ServerResponse): void {
  response.statusCode = 201;
  response.setHeader('Content-Type', 'application/json');
  response.end('{"saved":true}');
}

export const WAYS_OF_ANSWERING: readonly WayOfAnswering[] = [
  { title: 'end with a body', answer: (res) => res.end('x') },
  { title: 'end without a body', answer: (res) => res.end() },
  { title: 'JSON with setHeader', answer: answerJson },
  { title: 'writeHead and end', answer: (res) => res.writeHead(200).end('x') },
  {
    title: 'writeHead with a reason and an object of headers',
    answer: (res) =>
      res.writeHead(404, 'Nowhere', { 'X-A': 'a', 'Set-Cookie': ['a=1', 'b=2'] }).end('none'),
  },
  {
    title: 'writeHead with a flat array of headers',
    answer: (res) => res.writeHead(200, ['X-A', '1', 'X-B', '2', 'X-A', '3']).end('x'),
  },
  {
    title: 'writeHead with pairs of headers',
    answer: (res) =>
      res
        .writeHead(200, [
          ['X-A', '1'],
          ['X-A', '2'],
        ] as never)
        .end('x'),
  },
  {
    title: 'setHeader overridden by writeHead',
    answer: (res) => res.setHeader('X-A', 'first').writeHead(200, { 'x-a': 'second' }).end('x'),
  },
  {
    title: 'a status message',
    answer: (res) => {
      res.statusMessage = 'Fine';
      res.end('x');
    },
  },
  {
    title: 'a redirect',
    answer: (res) => res.writeHead(302, { Location: '/elsewhere' }).end(),
  },
  {
    title: 'two writes and end',
    answer: (res) => {
      res.write('one');
      res.write(Buffer.from('two'));
      res.end('three');
    },
  },
  {
    title: 'writes of every kind with callbacks',
    answer: (res) => {
      res.write('a\u00e9', 'latin1');
      res.write('6162', 'hex', () => undefined);
      res.write(new Uint8Array([99, 100]));
      res.write('');
      res.end('ZWY=', 'base64', () => undefined);
    },
  },
  {
    title: 'a declared Content-Length and writes',
    answer: (res) => {
      res.setHeader('Content-Length', 6);
      res.write('abc');
      res.write('def');
      res.end();
    },
  },
  {
    title: 'strictContentLength that is kept',
    answer: (res) => {
      res.strictContentLength = true;
      res.writeHead(200, { 'Content-Length': 6 });
      res.write('abc');
      res.end('def');
    },
  },
  { title: 'a 5 MB pipe', answer: (res) => bigSource().pipe(res) },
  { title: 'a 5 MB pipeline', answer: (res) => pipeline(bigSource(), res) },
  {
    title: 'a pipe after writeHead',
    answer: (res) => bigSource().pipe(res.writeHead(200, { 'X-A': 'a' })),
  },
  {
    title: 'flushHeaders and a later body',
    answer: async (res) => {
      res.setHeader('X-A', 'a');
      res.flushHeaders();
      await turn();
      res.end('later');
    },
  },
  {
    title: 'server-sent events',
    answer: async (res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
      res.flushHeaders();
      for (let event = 0; event < 3; event += 1) {
        res.write(`data: ${event}\n\n`);
        await turn();
      }
      res.end();
    },
  },
  { title: '204', answer: (res) => res.writeHead(204).end() },
  { title: '204 with a body that must not be sent', answer: (res) => res.writeHead(204).end('x') },
  { title: '304', answer: (res) => res.writeHead(304, { ETag: '"a"' }).end() },
  { title: 'HEAD', method: 'HEAD', answer: (res) => res.end('x') },
  {
    title: 'HEAD with writes',
    method: 'HEAD',
    answer: (res) => {
      res.write('one');
      res.end('two');
    },
  },
  { title: 'HEAD with a pipe', method: 'HEAD', answer: (res) => bigSource().pipe(res) },
  {
    title: 'trailers',
    answer: (res) => {
      res.writeHead(200, { Trailer: 'X-Sum' });
      res.write('body');
      res.addTrailers({ 'X-Sum': '4' });
      res.end();
    },
  },
  {
    title: 'cork and uncork',
    answer: (res) => {
      res.cork();
      res.write('one');
      res.write('two');
      process.nextTick(() => {
        res.uncork();
        res.end('three');
      });
    },
  },
  {
    title: 'removed default headers',
    answer: (res) => {
      res.sendDate = false;
      res.removeHeader('Connection');
      res.removeHeader('Transfer-Encoding');
      res.write('x');
      res.end();
    },
  },
  { title: 'HTTP/1.0', version: '1.0', answer: (res) => (res.write('one'), res.end('two')) },
  {
    title: 'early hints and then a body',
    answer: (res) => {
      res.writeProcessing();
      res.writeEarlyHints({ link: '</a.css>; rel=preload' });
      res.end('x');
    },
  },
];
