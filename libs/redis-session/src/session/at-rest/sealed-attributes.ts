import { DATA_KEY_ATTRIBUTE } from '../attributes/attribute-names.js';
import { type AttributeLookup } from '../attributes/attributes.js';
import { type AttributeChange, type SessionChange } from '../session-change.js';
import { SessionCorruptError, SessionEncodingError } from '../session.errors.js';
import { DataKey, isSealed, type KeyRing } from './key-ring.js';

/** How the attributes of all sessions are sealed. */
export interface SealingSetup {
  readonly ring: KeyRing;
  /** `'read'`: unsealed attributes are read, and new ones are written. `'write'`: they are read, and sealed at the next save. */
  readonly rollout: 'read' | 'write' | undefined;
  /** Names the session of a storage id and a creation time (epoch ms): its data key opens nowhere else. */
  readonly placeOf: (storedId: string, creationTime: number) => string;
  /** An attribute does not open. @throws SessionCorruptError if that is an error */
  readonly onCorrupt: (name: string) => void;
}

/** Where and since when a session is stored. */
type SessionPlace = Pick<SessionChange, 'creationTime' | 'storedId'>;

/** A text, and what the store holds of it; undefined = absent. */
interface KnownText {
  readonly stored: string | undefined;
  readonly text: string | undefined;
}

/** The attributes of one session, which the store holds encrypted. Each is opened when it is asked for. */
export class SealedAttributes implements AttributeLookup {
  // DATA_KEY   ~1.<key id>.<base64url>   the session's own key: encrypted, for this storage id and creation time alone
  // cart       ~1.<base64url>            AES-256-GCM under that key, bound to the name

  /** Undefined = the store holds plain texts. */
  private dataKey: DataKey | undefined;
  /** Of a save that is under way, until the store has it. */
  private nextKey: DataKey | undefined;
  private isKeyCurrent = true;
  /** What was opened or saved since the session was read. */
  private readonly known = new Map<string, KnownText>();
  /** What is known once {@link markKnown} is called. */
  private next: ReadonlyMap<string, KnownText> = new Map();

  private constructor(
    private readonly setup: SealingSetup,
    private readonly stored: ReadonlyMap<string, string>,
  ) {}

  /** Of a session that is not stored yet. @internal */
  static ofNew(setup: SealingSetup): SealedAttributes {
    return new SealedAttributes(setup, new Map());
  }

  /** @throws SessionCorruptError when the data key is missing, or is that of another session @internal */
  static ofStored(
    setup: SealingSetup,
    stored: ReadonlyMap<string, string>,
    place: SessionPlace,
  ): SealedAttributes {
    const attributes = new SealedAttributes(setup, stored);
    attributes.unwrap(stored.get(DATA_KEY_ATTRIBUTE), [place.storedId], place.creationTime);
    return attributes;
  }

  /** Whether the next save seals what is not sealed, or not by the newest key. @internal */
  get isOutdated(): boolean {
    if (!this.isKeyCurrent) return true;
    return this.setup.rollout === 'write' && (!this.dataKey || this.unsealed([]).length > 0);
  }

  /** Whether the store holds sealed texts after the next save. @internal */
  get isSealed(): boolean {
    return (this.dataKey ?? this.nextKey) !== undefined;
  }

  get(name: string): string | undefined {
    const known = this.known.get(name);
    if (known || name === DATA_KEY_ATTRIBUTE) return known?.text;
    const opened = this.knownOf(name, this.stored.get(name));
    this.known.set(name, opened);
    return opened.text;
  }

  has(name: string): boolean {
    return name !== DATA_KEY_ATTRIBUTE && this.stored.has(name);
  }

  *keys(): Generator<string, undefined> {
    for (const name of this.stored.keys()) if (name !== DATA_KEY_ATTRIBUTE) yield name;
    return undefined;
  }

  /** Seals a text beside the attributes. @returns undefined while the store holds plain texts @internal */
  sealBeside(text: string, name: string): string | undefined {
    return (this.dataKey ?? this.nextKey)?.seal(text, name);
  }

  /** What {@link sealBeside} has sealed. @returns undefined when it does not open @internal */
  openBeside(sealed: string, name: string): string | undefined {
    return this.open(name, sealed);
  }

  /** @param change - names the session as the store does. @returns what the store is to write @internal */
  seal(change: SessionChange): SessionChange {
    if (change.attributes.has(DATA_KEY_ATTRIBUTE))
      throw SessionEncodingError.create(
        DATA_KEY_ATTRIBUTE,
        'is a name that the library uses itself',
        'Choose another name.',
      );
    const { rollout } = this.setup;
    const isBegun = !this.dataKey && rollout !== 'read';
    if (isBegun) this.nextKey ??= new DataKey();
    const key = this.dataKey ?? this.nextKey;
    const attributes = new Map<string, AttributeChange>();
    const sealed = new Map<string, KnownText>();
    const write = (name: string, text: string | undefined, isUpdate: boolean) => {
      const stored = text === undefined ? undefined : (key?.seal(text, name) ?? text);
      sealed.set(name, { stored, text });
      const basedOn = isUpdate && { basedOn: { text: this.storedTextOf(name) } };
      attributes.set(name, { text: stored, ...basedOn });
    };
    for (const [name, { text, basedOn }] of change.attributes) write(name, text, !!basedOn);
    if (rollout === 'write')
      for (const name of this.unsealed([...change.attributes.keys()]))
        write(name, this.get(name), true);
    this.next = sealed;
    const keyChange = this.keyChange(change, attributes);
    if (keyChange) attributes.set(DATA_KEY_ATTRIBUTE, keyChange);
    return { ...change, attributes };
  }

  /** The store has what {@link seal} has returned last. @internal */
  markSaved(): void {
    this.markKnown();
    this.dataKey ??= this.nextKey;
    this.isKeyCurrent = true;
  }

  /**
   * The store holds other texts than those that {@link seal} was based on.
   *
   * @param current - as stored
   * @returns what they say; the next save is based on them after {@link markKnown}
   * @internal
   */
  openCurrent(
    { id, storedId, creationTime }: SessionChange,
    current: ReadonlyMap<string, string | undefined>,
  ): ReadonlyMap<string, string | undefined> {
    const wrapped = current.get(DATA_KEY_ATTRIBUTE);
    if (wrapped !== undefined) {
      this.nextKey = undefined;
      this.unwrap(wrapped, [id, storedId], creationTime);
    }
    const texts = [...current].filter(([name]) => name !== DATA_KEY_ATTRIBUTE);
    this.next = new Map(texts.map(([name, stored]) => [name, this.knownOf(name, stored)]));
    return new Map([...this.next].map(([name, { text }]) => [name, text]));
  }

  /** The session now rests on what {@link seal} or {@link openCurrent} has returned last. @internal */
  markKnown(): void {
    for (const [name, known] of this.next) this.known.set(name, known);
  }

  /** Another id or another key of the ring: the data key stays, and is wrapped again. */
  private keyChange(
    { creationTime, id, isNew, storedId }: SessionChange,
    attributes: ReadonlyMap<string, AttributeChange>,
  ): AttributeChange | undefined {
    const { placeOf, ring } = this.setup;
    const key = this.dataKey ?? this.nextKey;
    const absent = { basedOn: { text: undefined } };
    if (!key) {
      // Somebody may have begun to seal meanwhile: then an update needs the key to know what it is based on.
      const hasUpdates = [...attributes.values()].some(({ basedOn }) => basedOn);
      return hasUpdates ? { text: undefined, ...absent } : undefined;
    }
    if (this.dataKey && this.isKeyCurrent && id === storedId) return undefined;
    const text = ring.wrap(key, placeOf(id, creationTime));
    return this.dataKey || isNew ? { text } : { text, ...absent };
  }

  private unwrap(
    wrapped: string | undefined,
    storedIds: readonly string[],
    creationTime: number,
  ): void {
    const { placeOf, ring, rollout } = this.setup;
    if (wrapped === undefined && rollout !== undefined) return;
    for (const storedId of storedIds) {
      try {
        const { dataKey, isCurrent } = ring.unwrap(wrapped ?? '', placeOf(storedId, creationTime));
        this.dataKey = dataKey;
        this.isKeyCurrent = isCurrent;
        return;
      } catch {
        // Of another id, or of nobody.
      }
    }
    throw new SessionCorruptError(
      'Cannot read a session: it is not encrypted, its key is not in encryption.keys, or it was copied from another session. Add the key, or delete the session; the client gets a new one.',
    );
  }

  private storedTextOf(name: string): string | undefined {
    const known = this.known.get(name);
    return known ? known.stored : this.stored.get(name);
  }

  /** Names of attributes that the store holds as plain texts, but for `except`. */
  private unsealed(except: readonly string[]): string[] {
    return [...this.keys()].filter((name) => {
      const stored = except.includes(name) ? undefined : this.storedTextOf(name);
      return stored !== undefined && !isSealed(stored);
    });
  }

  private knownOf(name: string, stored: string | undefined): KnownText {
    return { stored, text: stored === undefined ? undefined : this.open(name, stored) };
  }

  /** @returns undefined when it does not open */
  private open(name: string, stored: string): string | undefined {
    if (this.setup.rollout !== undefined && !isSealed(stored)) return stored;
    try {
      if (this.dataKey) return this.dataKey.open(stored, name);
    } catch {
      // It is of another session, of another attribute, or was changed.
    }
    this.setup.onCorrupt(name);
    return undefined;
  }
}
