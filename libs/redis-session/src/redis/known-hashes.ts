import { type KnownHash } from './known-hash.js';

/** From this size on a hash is worth remembering: smaller ones are read as quickly as they are asked for. */
export const LEAST_KNOWN_BYTES = 2048;

/** Of all together. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/**
 * The contents of large hashes that this process has read, and changed: what still has the same version need not be sent
 * by Redis again. Of too many, those are forgotten that were used least lately.
 */
export class KnownHashes {
  private readonly hashes = new Map<string, KnownHash>();
  private characters = 0;

  /** @param maxCharacters - 0 = nothing is remembered */
  constructor(private readonly maxCharacters = MAX_CHARACTERS) {}

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
    if (!known || known.isWorn || known.characters > this.maxCharacters) return;
    this.hashes.set(key, known);
    this.characters += known.characters;
    for (const [leastLately] of this.hashes) {
      if (this.characters <= this.maxCharacters) return;
      this.delete(leastLately);
    }
  }

  delete(key: string): void {
    this.characters -= this.hashes.get(key)?.characters ?? 0;
    this.hashes.delete(key);
  }

  /** After a save. @param known - undefined = what it has made of the hash is not known */
  move(storedKey: string, currentKey: string, known: KnownHash | undefined): void {
    this.delete(storedKey);
    this.set(currentKey, known);
  }
}
