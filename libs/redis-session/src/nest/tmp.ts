import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { type HttpAnswer } from '../http/http-answer.js';
import { type HttpExchange } from '../http/http-exchange.js';

export function problem(status: number, detail: string): HttpAnswer {
  return {
    statusCode: status,
    headers: { 'Content-Type': 'application/problem+json' },
    body: JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail }),
  };
}
export function isBrowserNavigation(request: IncomingMessage): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}
export function keepRequest(exchange: HttpExchange): void {
  if (exchange.request.method !== 'GET') return;
  exchange.sessionRequest?.doBeforeCommit(async () => {
    (await exchange.sessionRequest?.getSession())?.setAttribute('SAVED_REQUEST', exchange.url);
  });
}
export async function takeSavedPath(exchange: HttpExchange): Promise<string | undefined> {
  const session = await exchange.sessionRequest?.getSession({ create: false });
  const path = session?.getAttribute<string>('SAVED_REQUEST');
  session?.removeAttribute('SAVED_REQUEST');
  return path;
}
