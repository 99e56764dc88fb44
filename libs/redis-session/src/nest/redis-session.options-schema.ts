import { z } from 'zod';
import { anyFunction, anyObject, checkOptions } from '../session/check-options.js';
import { FlushMode } from '../session/flush-mode.js';
import { SaveMode } from '../session/save-mode.js';

const positive = z.int().positive();

/** The description of each member completes "`<name>` must be …". */
const schema = z.strictObject({
  redis: z
    .union([z.string().min(1), anyObject])
    .optional()
    .describe('a url, ioredis options, cluster nodes or a client'),
  absoluteTimeoutSeconds: positive.optional().describe('a positive integer or undefined'),
  clock: anyFunction.describe('a function that returns epoch ms'),
  codec: anyObject.describe('an object with encode and decode'),
  commandTimeoutMs: positive.describe('a positive integer'),
  cookie: anyObject.describe('an object of cookie options'),
  exclude: z.array(z.unknown()).describe('a list of routes'),
  flushMode: z.enum(FlushMode).describe('"on-save" or "immediate"'),
  indexed: anyObject.optional().describe('an object of options of the indexed repository'),
  load: z.enum(['eager', 'lazy']).describe('"eager" or "lazy"'),
  logger: anyObject.describe('an object with warn and error'),
  maxInactiveIntervalSeconds: z
    .union([positive, z.literal(-1)])
    .describe('-1 (never) or a positive integer'),
  migration: anyObject.optional().describe('an object of migration options'),
  namespace: z
    .string()
    .regex(/^[^\s{}]+$/)
    .describe('a string without spaces and braces'),
  nearCache: anyObject.optional().describe('an object of options of the near cache'),
  onCorrupt: z.enum(['new-session', 'error']).describe('"new-session" or "error"'),
  onStoreUnavailable: z.enum(['error', 'anonymous']).describe('"error" or "anonymous"'),
  repository: z.enum(['default', 'indexed']).describe('"default" or "indexed"'),
  passportSession: z.boolean().describe('true or false'),
  requestSession: z.boolean().describe('true or false'),
  saveMode: z
    .enum(SaveMode)
    .describe('"on-change", "on-set-attribute", "on-get-attribute" or "always"'),
  security: z
    .union([z.literal(false), anyObject])
    .describe('an object of security options or false'),
  sessionIdGenerator: anyFunction.describe('a function that returns a string'),
  sessionIdPattern: z.instanceof(RegExp).optional().describe('a regular expression'),
  sessionIdResolver: anyObject.optional().describe('a SessionIdResolver'),
  store: z.enum(['redis', 'memory']).describe('"redis" or "memory"'),
  touchIntervalSeconds: z.int().min(0).describe('an integer that is not negative'),
  webSockets: anyObject.describe('an object of WebSocket options'),
});

/** @param options - with their defaults filled in. @throws SessionOptionError for the first one that is unknown or wrong */
export function checkModuleOptions(options: object): void {
  checkOptions(schema, { ...options }, { secret: ['redis'] });
}
