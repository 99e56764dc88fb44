import { type KnownHash } from './known-hash.js';

/** So many bytes make a hash worth remembering: shorter ones are read as quickly as they are asked for. */
export const LEAST_KNOWN_LENGTH = 2048;

/** Of all together, characters. */
const MAX_LENGTH = 16 * 1024 * 1024;

/**
 * The contents of large hashes that this process has read, and changed: what still has the same version need not be sent
 * by Redis again. Of too many, those are forgotten that were used least lately.
 */
export class KnownHashes {
  private readonly hashes = new Map<string, KnownHash>();
  private length = 0;

  /** @param maxLength - characters; 0 = nothing is remembered */
  constructor(private readonly maxLength = MAX_LENGTH) {}

  has(key: string): boolean {
    return this.hashes.has(key);
  }

  /** Counts as a use. */
  get(key: string): KnownHash | undefined {
    const known = this.hashes.get(key);
    if (known) {
      this.hashes.delete(key);
      this.hashes.set(key, known);
    }
    return known;
  }

  /** @param known - undefined = forget it */
  set(key: string, known: KnownHash | undefined): void {
    this.delete(key);
    if (!known || known.isWorn) return;
    this.hashes.set(key, known);
    this.length += known.length;
    for (const [leastLately] of this.hashes) {
      if (this.length <= this.maxLength) return;
      this.delete(leastLately);
    }
  }

  delete(key: string): void {
    this.length -= this.hashes.get(key)?.length ?? 0;
    this.hashes.delete(key);
  }

  /** After a save. @param known - undefined = what it has made of the hash is not known */
  move(storedKey: string, currentKey: string, known: KnownHash | undefined): void {
    this.delete(storedKey);
    this.set(currentKey, known);
  }
}
