import { type IncomingMessage } from 'node:http';

/** @param proxy - true believes X-Forwarded-Proto, false only the connection; undefined asks Express */
export function isSecureConnection(request: IncomingMessage, proxy: boolean | undefined): boolean {
  if ('encrypted' in request.socket && request.socket.encrypted === true) return true;
  if (proxy === undefined) return 'secure' in request && request.secure === true;
  const header = request.headers['x-forwarded-proto'] ?? '';
  return proxy && String(header).split(',')[0]?.trim().toLowerCase() === 'https';
}
