import { z } from 'zod';
import { type OptionsOf, type ResolvedOptionsOf, flagOption } from '../../lib/option-group.js';

/** What `webSockets` takes, for gateways with `@SecuredMessages()`. */
export const webSocketOptionGroup = z.strictObject({
  /**
   * Whether the sockets of a session are closed on all replicas when the session ends. Needs `repository: 'indexed'`.
   * Sessions then record events, which stay in Redis until they are trimmed: see `indexed.maxEvents`.
   */
  closeWithSession: flagOption.default(false),
  /**
   * Seconds between two messages of a socket that count as an access and keep its session alive. 0: every message does.
   * -1: none does.
   */
  keepAliveSeconds: z
    .int()
    .min(-1)
    .describe('-1 (never) or an integer that is not negative')
    .default(0),
});

/** What `webSockets` of the module's options takes. */
export interface WebSocketOptions extends OptionsOf<typeof webSocketOptionGroup> {}

/** {@link WebSocketOptions} with their defaults. */
export type ResolvedWebSocketOptions = ResolvedOptionsOf<typeof webSocketOptionGroup>;
