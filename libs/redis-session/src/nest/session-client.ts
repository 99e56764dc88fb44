import { type IncomingHttpHeaders } from 'node:http';
import { type SessionClient } from '../redis/session-registry.js';

/** A header can be 16 kB long; this much tells browsers apart. */
const MAX_USER_AGENT_LENGTH = 256;

/** @param request - of the platform, which knows the address behind trusted proxies */
export function sessionClientOf(request: object): SessionClient {
  const { headers, ip } = request as {
    readonly headers?: IncomingHttpHeaders;
    readonly ip?: string;
  };
  return { ip, userAgent: headers?.['user-agent']?.slice(0, MAX_USER_AGENT_LENGTH) };
}
