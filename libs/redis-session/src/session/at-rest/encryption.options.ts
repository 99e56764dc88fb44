import { z } from 'zod';
import {
  type OptionsOf,
  type ResolvedOptionsOf,
  resolveOptionGroup,
} from '../../lib/option-group.js';

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
