import { IncomingMessage, ServerResponse, type IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';

/** A real request of node:http that came without a server. */
export function requestWith(headers: IncomingHttpHeaders = {}): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  return request;
}

/** The response of node:http to such a request; nothing leaves it. */
export function responseTo(request: IncomingMessage): ServerResponse {
  return new ServerResponse(request);
}
