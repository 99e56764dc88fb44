import { type IncomingMessage, type ServerResponse } from 'node:http';

/** @param request - of Express, of Fastify, or raw. @returns that of node:http */
export function rawRequestOf(request: object): IncomingMessage {
  return ('raw' in request ? request.raw : request) as IncomingMessage;
}

/** @param response - of Express, of Fastify, or raw. @returns that of node:http */
export function rawResponseOf(response: object): ServerResponse {
  return ('raw' in response ? response.raw : response) as ServerResponse;
}
