import { once } from 'node:events';
import { type Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** What a client got. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON; an empty object when it is something else. */
  readonly body: unknown;
  /** The `name=value` of the session cookie that was set; undefined when none was, '' behind the `=` when it was deleted. */
  readonly cookie: string | undefined;
}

type Method = 'DELETE' | 'GET' | 'HEAD' | 'OPTIONS' | 'PATCH' | 'POST' | 'PUT';

/** Such as `GET /me`. */
export type RequestLine = `${Method} /${string}`;

/** What is sent beside the line and the headers. */
export interface SendOptions {
  readonly body?: string;
  /** Without one, each request has a connection of its own. */
  readonly agent?: Agent;
}

/**
 * Sends a request at once. It follows no redirect, and rejects when it is broken off.
 *
 * @param site - an origin, or a port of 127.0.0.1
 * @param headers - those that are undefined are left out
 */
export async function send(
  site: number | string,
  line: RequestLine,
  headers: Readonly<Record<string, string | undefined>> = {},
  { body = '', agent }: SendOptions = {},
): Promise<Answer> {
  const [method = 'GET', path = '/'] = line.split(' ');
  const { hostname, port } = new URL(typeof site === 'number' ? `http://127.0.0.1:${site}` : site);
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) };
  const outgoing = request({
    ...{ agent: agent ?? false, hostname, port, method, path },
    headers: { ...(Object.fromEntries(given) as Record<string, string>), ...length },
  });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answerOf(incoming, await text(incoming));
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, content: string): Answer {
  const isJson = /[/+]json\b/.test(headers['content-type'] ?? '') && content !== '';
  const line = headers['set-cookie']?.find((cookie) => cookie.startsWith('SESSION='));
  return {
    status: statusCode,
    headers,
    text: content,
    body: isJson ? JSON.parse(content) : {},
    cookie: line?.split(';', 1)[0],
  };
}
