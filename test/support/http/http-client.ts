import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** What a client got, and how long it waited for all of it. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly durationMs: number;
  /** The `name=value` of the session cookie that was set; undefined when none was, '' behind the `=` when it was deleted. */
  readonly cookie: string | undefined;
}

/** A request on a connection of its own, to `port` of 127.0.0.1. It is sent at once, and rejects when it is broken off. */
export async function send(
  port: number,
  line: `${'GET' | 'POST' | 'HEAD'} /${string}`,
  headers: Record<string, string | undefined> = {},
): Promise<Answer> {
  const [method = 'GET', path = '/'] = line.split(' ');
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  const startMs = performance.now();
  const outgoing = request({
    ...{ agent: false, host: '127.0.0.1', port, method, path },
    headers: Object.fromEntries(given) as Record<string, string>,
  });
  outgoing.end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = await text(incoming);
  const line0 = incoming.headers['set-cookie']?.find((cookie) => cookie.startsWith('SESSION='));
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    text: body,
    durationMs: performance.now() - startMs,
    cookie: line0?.split(';', 1)[0],
  };
}
