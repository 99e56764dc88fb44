import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { LruMap } from '../../lib/lru-map.js';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const KEY_BYTES = 32;
const KEY_ID_LENGTH = 8;
const SALT_BYTES = 16;
const TAG_BYTES = 16;

/** About 4 MB. To unwrap a key takes as long as to open two texts. */
const MAX_UNWRAPPED_KEYS = 10_000;

/** Begins every sealed text; no JSON text begins with it. `1` is the version of the form. */
const SEALED = '~1.';

/** Whether `text` looks like one that was sealed here. */
export function isSealed(text: string): boolean {
  return text.startsWith(SEALED);
}

/** Encrypts the texts of one session. */
export class DataKey {
  private readonly key: KeyObject;

  /** @param bytes - 32 */
  constructor(bytes: Buffer = randomBytes(KEY_BYTES)) {
    // Unlike a buffer, it shows nothing when it is printed.
    this.key = createSecretKey(bytes);
  }

  /** @param name - what the text is; only under the same name it can be opened again. @returns `~1.` and base64url */
  seal(text: string, name: string): string {
    const iv = randomBytes(IV_BYTES);
    return SEALED + Buffer.concat([iv, encrypt(this.key, iv, text, name)]).toString('base64url');
  }

  /** @throws Error unless `sealed` was made by {@link seal} of the same key and name */
  open(sealed: string, name: string): string {
    const bytes = bytesOf(sealed, SEALED);
    const [iv, rest] = [bytes.subarray(0, IV_BYTES), bytes.subarray(IV_BYTES)];
    return decrypt(this.key, iv, rest, name).toString('utf8');
  }

  get bytes(): Buffer {
    return this.key.export();
  }
}

/** A data key, and whether the newest key of the ring has wrapped it. */
export interface UnwrappedKey {
  readonly dataKey: DataKey;
  readonly isCurrent: boolean;
}

interface RingKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** The keys of the option `encryption`: they encrypt nothing but the data keys of sessions. */
export class KeyRing {
  private readonly newest: RingKey;
  private readonly byId: ReadonlyMap<string, RingKey>;
  /** By place and wrapped key. */
  private readonly unwrapped = new LruMap<UnwrappedKey>(MAX_UNWRAPPED_KEYS);

  /** @param keys - 32 bytes each; the first one wraps, all unwrap */
  constructor(keys: readonly Buffer[]) {
    const ring = keys.map((bytes) => ({ id: keyIdOf(bytes), key: createSecretKey(bytes) }));
    this.newest = ring[0] as RingKey;
    this.byId = new Map(ring.map((ringKey) => [ringKey.id, ringKey]));
  }

  /**
   * Encrypts a data key for one place.
   *
   * @param place - what names the session: a key that is copied to another one does not open there
   * @returns `~1.<key id>.<base64url>`
   */
  wrap(dataKey: DataKey, place: string): string {
    const { id, key } = this.newest;
    const salt = randomBytes(SALT_BYTES);
    const wrapped = encrypt(wrappingKey(key, salt), NO_IV, dataKey.bytes, place);
    return `${SEALED}${id}.${Buffer.concat([salt, wrapped]).toString('base64url')}`;
  }

  /** @throws Error unless `wrapped` was made by {@link wrap} of a key of the ring, for the same place */
  unwrap(wrapped: string, place: string): UnwrappedKey {
    const known = this.unwrapped.get(place + wrapped);
    if (known) return known;
    const key = this.unwrapAnew(wrapped, place);
    this.unwrapped.set(place + wrapped, key);
    return key;
  }

  private unwrapAnew(wrapped: string, place: string): UnwrappedKey {
    const keyId = wrapped.slice(SEALED.length, SEALED.length + KEY_ID_LENGTH);
    const ringKey = this.byId.get(keyId);
    if (!ringKey) throw new Error('no key of the ring has wrapped it');
    const bytes = bytesOf(wrapped, `${SEALED}${keyId}.`);
    const [salt, rest] = [bytes.subarray(0, SALT_BYTES), bytes.subarray(SALT_BYTES)];
    const key = decrypt(wrappingKey(ringKey.key, salt), NO_IV, rest, place);
    return { dataKey: new DataKey(key), isCurrent: ringKey === this.newest };
  }
}

/** Each key is used once: then its IV may always be the same, and no number of sessions wears out a key of the ring. */
const NO_IV = Buffer.alloc(IV_BYTES);

function wrappingKey(ringKey: KeyObject, salt: Buffer): Buffer {
  return createHmac('sha256', ringKey).update('wrap').update(salt).digest();
}

/** Tells nothing of the key. */
function keyIdOf(key: Buffer): string {
  return createHmac('sha256', key).update('id').digest('base64url').slice(0, KEY_ID_LENGTH);
}

/** @throws Error unless `sealed` begins with `prefix` */
function bytesOf(sealed: string, prefix: string): Buffer {
  if (!sealed.startsWith(prefix)) throw new Error('it is not encrypted');
  return Buffer.from(sealed.slice(prefix.length), 'base64url');
}

type CipherKey = KeyObject | Buffer;

function encrypt(key: CipherKey, iv: Buffer, content: string | Buffer, name: string): Buffer {
  const cipher = createCipheriv(CIPHER, key, iv);
  cipher.setAAD(Buffer.from(name));
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error when key, name or content is another one */
function decrypt(key: CipherKey, iv: Buffer, content: Buffer, name: string): Buffer {
  const end = content.length - TAG_BYTES;
  if (end < 0) throw new Error('it is cut off');
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(name));
  decipher.setAuthTag(content.subarray(end));
  return Buffer.concat([decipher.update(content.subarray(0, end)), decipher.final()]);
}
