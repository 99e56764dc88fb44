import { randomBytes } from 'node:crypto';
import { type KnownHash } from './known-hash.js';

/** Of all together, characters. */
const MAX_LENGTH = 16 * 1024 * 1024;

/** One save of a hash. */
export interface HashSave {
  /** Of the hash before the save; '' = not known. */
  readonly knownVersion: string;
  /** Of the hash after the save; '' = its contents stay as they are. */
  readonly version: string;
  /** To be called when it is saved. @param wasKnown - whether the hash still had `knownVersion` before */
  done(wasKnown: boolean): void;
  /** To be called when there is no such hash. */
  missing(): void;
}

/**
 * The contents of large hashes that this process has read, and changed: what still has the same version need not be sent
 * by Redis again. Of too many, those are forgotten that were used least lately.
 */
export class KnownHashes {
  private readonly hashes = new Map<string, KnownHash>();
  private length = 0;

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
      if (this.length <= MAX_LENGTH) return;
      this.delete(leastLately);
    }
  }

  delete(key: string): void {
    this.length -= this.hashes.get(key)?.length ?? 0;
    this.hashes.delete(key);
  }

  /**
   * @param storedKey - of the hash before the save
   * @param currentKey - after it
   * @param changes - texts of the fields that it writes, the last access left out; undefined = it removes the field
   */
  beginSave(
    storedKey: string,
    currentKey: string,
    changes: ReadonlyMap<string, string | undefined>,
  ): HashSave {
    const known = this.get(storedKey);
    const version = changes.size > 0 ? newVersion() : '';
    return {
      version,
      knownVersion: known?.version ?? '',
      done: (wasKnown) => {
        this.delete(storedKey);
        if (wasKnown) this.set(currentKey, known?.with(changes, version || known.version));
        else this.delete(currentKey);
      },
      missing: () => this.delete(storedKey),
    };
  }
}

/** One that no other contents of the same hash have. */
function newVersion(): string {
  return randomBytes(6).toString('base64url');
}
