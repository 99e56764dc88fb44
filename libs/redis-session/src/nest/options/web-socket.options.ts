import { z } from 'zod';
import { checkOptions } from '../../lib/check-options.js';

/** What `webSockets` of the module's options takes, for gateways with `@SecuredMessages()`. */
export interface WebSocketOptions {
  /**
   * Whether the sockets of a session are closed on all replicas when the session ends; needs `repository: 'indexed'`.
   * Sessions then record events, which stay in Redis until they are trimmed: see `indexed.maxEvents`.
   * @defaultValue false
   */
  readonly closeWithSession?: boolean | undefined;
  /**
   * Seconds between two messages of a socket that count as an access and keep its session alive; 0 = each message does,
   * -1 = none does. @defaultValue 0
   */
  readonly keepAliveSeconds?: number | undefined;
}

/** {@link WebSocketOptions} with their defaults. */
export interface ResolvedWebSocketOptions {
  readonly closeWithSession: boolean;
  readonly keepAliveSeconds: number;
}

/** The defaults of {@link WebSocketOptions}. */
export const DEFAULT_WEB_SOCKET_OPTIONS: ResolvedWebSocketOptions = {
  closeWithSession: false,
  keepAliveSeconds: 0,
};

const schema = z.strictObject({
  closeWithSession: z.boolean().describe('true or false'),
  keepAliveSeconds: z.int().min(-1).describe('-1 (never) or an integer that is not negative'),
});

/** @throws SessionOptionError naming the option */
export function resolveWebSocketOptions(options: WebSocketOptions = {}): ResolvedWebSocketOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const merged = { ...DEFAULT_WEB_SOCKET_OPTIONS, ...Object.fromEntries(given) };
  return checkOptions(schema, merged, { prefix: 'webSockets.' });
}
