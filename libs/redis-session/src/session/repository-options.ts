import { z } from 'zod';
import { type SessionLogger } from '../lib/logger.js';
import {
  type ResolvedOptionsOf,
  defaultsOf,
  flagOption,
  functionOption,
  objectOption,
  positiveOption,
  type OptionsOf,
  resolveOptionGroup,
} from '../lib/option-group.js';
import { type SessionCodec, jsonSessionCodec } from './attributes/codec.js';
import { type SessionIdGenerator, generateSessionId } from './session-id.js';

/** Which attributes a save writes. Literals are accepted: `saveMode: 'on-set-attribute'`. Mirrors `SaveMode` of Spring Session. */
export const SaveMode = {
  /** What was set or removed, and what was read and then mutated in place, seen by comparing its encoding. */
  OnChange: 'on-change',
  /** Only what was set or removed. Mutations in place are not seen. */
  OnSetAttribute: 'on-set-attribute',
  /** What was set, removed or read, whether it changed or not. */
  OnGetAttribute: 'on-get-attribute',
  /** All attributes at every save: parallel requests overwrite each other. */
  Always: 'always',
} as const;

/** One of the values of {@link SaveMode}. */
export type SaveMode = (typeof SaveMode)[keyof typeof SaveMode];

/** When changes are written. Mirrors `FlushMode` of Spring Session. */
export const FlushMode = {
  /** Once, before the response leaves, or when `save()` is called. */
  OnSave: 'on-save',
  /** As soon as the running code yields; the response still waits for it. For handlers that run long. */
  Immediate: 'immediate',
} as const;

/** One of the values of {@link FlushMode}. */
export type FlushMode = (typeof FlushMode)[keyof typeof FlushMode];

/** The options that every repository takes. */
export const repositoryOptionGroup = z.strictObject({
  /** Seconds after its creation at which a session ends, however active it is. Undefined means never. */
  absoluteTimeoutSeconds: positiveOption.optional(),
  /**
   * Returns the time in epoch milliseconds. Tests set it. Without it, the clock of PostgreSQL counts if sessions are there.
   * With Redis, MongoDB and in memory, each replica goes by its own clock.
   */
  clock: functionOption<() => number>('a function that returns epoch ms').default(() => Date.now),
  /** Turns attribute values into text and back. */
  codec: objectOption<SessionCodec>('an object with encode and decode').default(
    () => jsonSessionCodec,
  ),
  /**
   * Encrypts attributes before they reach the store: `{ keys: [newKey, oldKey] }`. See docs/security.md. Left out, they
   * are stored as the codec writes them.
   */
  encryption: objectOption<EncryptionOptions>('an object such as { keys: [key] }').optional(),
  /** When changes are written: when the response begins, or at once. */
  flushMode: z.enum(FlushMode).default(FlushMode.OnSave),
  /**
   * Stores SHA-256 of each session id instead of the id, so that a copy of the store logs nobody in. `'read'` and
   * `'rename'` turn it on in steps without a logout. See docs/security.md.
   */
  hashIds: z.union([flagOption, z.enum(['read', 'rename'])]).default(false),
  /** Receives warnings and errors. */
  logger: objectOption<SessionLogger>('an object with warn and error').default(() => console),
  /** Seconds without a request after which a session ends. -1 means never. */
  maxInactiveIntervalSeconds: z
    .union([positiveOption, z.literal(-1)])
    .describe('-1 (never) or a positive integer')
    .default(1800),
  /**
   * What follows when something stored cannot be read. `'new-session'` replaces a session, and leaves out an attribute.
   * `'error'` fails the request.
   */
  onCorrupt: z.enum(['new-session', 'error']).default('new-session'),
  /** Which attributes a save writes. */
  saveMode: z.enum(SaveMode).default(SaveMode.OnChange),
  /** Makes session ids: unpredictable, 16 to 256 characters of `A-Z a-z 0-9 _ . ~ -`. */
  sessionIdGenerator: functionOption<SessionIdGenerator>(
    'a function that returns a string',
  ).default(() => generateSessionId),
  /**
   * Seconds between two records of the last access. Reads in between write nothing, and a session may end that much
   * earlier. 0 records every access. Undefined means one record per second for each session and process, or 100 in the
   * idle time if that is shorter than 100 seconds.
   */
  touchIntervalSeconds: z.int().min(0).describe('an integer that is not negative').optional(),
});

/** The options with their defaults. */
export type SessionRepositoryOptions = ResolvedOptionsOf<typeof repositoryOptionGroup>;

/** The defaults of {@link SessionRepositoryOptions}. */
export const DEFAULT_REPOSITORY_OPTIONS: SessionRepositoryOptions = defaultsOf(
  repositoryOptionGroup,
) as SessionRepositoryOptions;

const KEY = 'of 32 random bytes, as 64 hexadecimal digits or in base64 (openssl rand -base64 32)';

const keyOption = z
  .string()
  .regex(/^(?:[\da-f]{64}|[\w+/-]{43}=?)$/i)
  .transform((text) => Buffer.from(text, text.length === 64 ? 'hex' : 'base64'));

/** What `encryption` takes. */
export const encryptionOptionGroup = z.strictObject({
  /** Keys of 32 random bytes each, in hex or base64. The first one encrypts, all decrypt: put a new key before the old. */
  keys: z
    .array(z.string().optional().pipe(keyOption))
    .min(1)
    .readonly()
    .describe(`a list of keys ${KEY}`),
  /**
   * Hides the values of indexes, such as user names. Required with `repository: 'indexed'`. Changing it makes sessions
   * that exist impossible to find by user.
   */
  indexKey: keyOption.describe(`a key ${KEY}`).optional(),
  /**
   * Turns encryption on without a logout. `'read'` first, on all replicas: plain sessions are read and written, encrypted
   * ones too. Then `'write'`: plain sessions are encrypted at their next request. Left out, plain sessions are refused.
   */
  rollout: z.enum(['read', 'write']).optional(),
});

/** What `encryption` takes. */
export interface EncryptionOptions extends OptionsOf<typeof encryptionOptionGroup> {}

/** {@link EncryptionOptions} with the bytes of the keys. */
export type ResolvedEncryptionOptions = ResolvedOptionsOf<typeof encryptionOptionGroup>;

/** @throws SessionOptionError for the first option that is unknown or wrong; it shows no key */
export function resolveEncryptionOptions(options: EncryptionOptions): ResolvedEncryptionOptions {
  return resolveOptionGroup(encryptionOptionGroup, options, {
    prefix: 'encryption.',
    secret: ['keys', 'indexKey'],
  });
}
