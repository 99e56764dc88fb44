import { type HashFields } from './attribute-texts.js';
import { HashText } from './hash-text.js';

/** The field of a hash that is new with each change of its contents, the last access left out. */
const VERSION_FIELD = 'version';

/** Shorter hashes are read as quickly as they are asked for. Characters. */
const LEAST_LENGTH = 2048;

/** The contents of a large hash at one version: a text as Redis has sent it, and what has been changed since. */
export class KnownHash implements HashFields {
  private constructor(
    readonly version: string,
    private readonly sent: HashText,
    /** undefined = the field was removed */
    private readonly changes: ReadonlyMap<string, string | undefined>,
    /** What was looked up in `sent`. */
    private readonly found: Map<string, string>,
  ) {}

  /** @returns undefined when it has no version, or is too short to be worth it */
  static of(hash: HashFields): KnownHash | undefined {
    if (!(hash instanceof HashText) || hash.length < LEAST_LENGTH) return undefined;
    const version = hash.get(VERSION_FIELD);
    return version === undefined ? undefined : new KnownHash(version, hash, new Map(), new Map());
  }

  get size(): number {
    return this.sent.size;
  }

  /** Characters in memory. */
  get length(): number {
    return this.sent.length + this.changesLength;
  }

  /** Whether so much has changed that it is better read again. */
  get isWorn(): boolean {
    return this.changesLength > this.sent.length;
  }

  get(field: string): string | undefined {
    if (this.changes.has(field)) return this.changes.get(field);
    const text = this.found.get(field) ?? this.sent.get(field);
    if (text !== undefined) this.found.set(field, text);
    return text;
  }

  *keys(): Generator<string, void> {
    for (const field of this.sent.keys()) if (!this.changes.has(field)) yield field;
    for (const [field, text] of this.changes) if (text !== undefined) yield field;
  }

  /** @param changes - texts of fields; undefined = the field was removed */
  with(
    changes: Iterable<readonly [string, string | undefined]>,
    version = this.version,
  ): KnownHash {
    return new KnownHash(version, this.sent, new Map([...this.changes, ...changes]), this.found);
  }

  private get changesLength(): number {
    return [...this.changes.values()].reduce((sum, text = '') => sum + text.length, 0);
  }
}
