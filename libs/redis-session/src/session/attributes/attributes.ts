import { isDeepStrictEqual } from 'node:util';
import { SaveMode } from '../repository-options.js';
import { type AttributeChange } from '../session-change.js';
import { SessionEncodingError } from '../session.errors.js';
import { type SessionCodec } from './codec.js';

/** Stores may put it between texts. */
const SEPARATOR = '\0';
const HAS_SEPARATOR = 'has a NUL character in its name or its text';

type Change = (value: unknown) => unknown;

/** A change as it was when a save began. */
export interface PendingAttributeChange extends AttributeChange {
  readonly updates: readonly Change[];
  readonly version: number;
}

/** One attribute in memory: its stored text, decoded at the first read, and what has become of it since. */
class SessionAttribute {
  private value: unknown;
  private isDecoded = false;
  /** Since the last save. */
  private isRead = false;
  private isSaved = false;
  /** The value does not rest on the stored text: it is written whatever is stored. */
  private isSet = false;
  private setVersion = 0;
  private version = 0;
  /** Since the last save or set. */
  private updates: readonly Change[] = [];

  constructor(
    private readonly name: string,
    private readonly codec: SessionCodec,
    private text: string | undefined,
  ) {}

  get exists(): boolean {
    return this.isDecoded ? this.value !== undefined : this.text !== undefined;
  }

  get(): unknown {
    this.isRead = true;
    return this.current();
  }

  /** For the library itself: no read (SaveMode 'on-get-attribute'), and whoever changes it in place changes a copy. */
  peek(): unknown {
    return this.decode(this.hasPendingChange(SaveMode.OnChange) ? this.encode() : this.text);
  }

  set(value: unknown): void {
    this.replaceBy(value);
    this.updates = [];
    this.ignoreStored();
  }

  /** Applies `change` now, and again on the stored value if that turns out to be another one. */
  update(change: Change): void {
    if (this.isMutated()) this.set(this.value);
    const isOnStored = !this.isSet && this.updates.length === 0;
    const value = change(isOnStored ? this.decode(this.text) : this.current());
    this.replaceBy(value);
    this.updates = [...this.updates, change];
  }

  /**
   * The stored text has turned out to be `text`: computes the pending updates again from it. They are done when they
   * come to what is stored.
   */
  rebase(text: string | undefined): void {
    if (this.isSet || this.updates.length === 0) return;
    this.value = this.updates.reduce((value, change) => change(value), this.decode(text));
    this.text = text;
    this.isDecoded = true;
    if (this.encode() === text) this.updates = [];
  }

  /** From now on the pending updates count as a set: what they were computed from does not matter. */
  ignoreStored(): void {
    this.isSet = true;
    this.setVersion = this.version;
  }

  /** Whether `set` or `update` has changed it since the last save. */
  get isChanged(): boolean {
    return this.isSet || this.updates.length > 0;
  }

  get hasPendingUpdates(): boolean {
    return !this.isSet && this.updates.length > 0;
  }

  /** Whether a save in `mode` has to write it. Encodes only what was read and may have been changed in place. */
  hasPendingChange(mode: SaveMode): boolean {
    return this.isChanged || this.isWrittenIn(mode);
  }

  /** @returns what a save in `mode` has to write, undefined when nothing. @throws SessionEncodingError */
  pendingChange(mode: SaveMode, isNew: boolean): PendingAttributeChange | undefined {
    const { updates, version } = this;
    if (this.hasPendingUpdates && !isNew)
      return { text: this.encode(), basedOn: { text: this.text }, updates, version };
    if (this.isChanged) return { text: this.encode(), updates, version };
    if (!this.isWrittenIn(mode)) return undefined;
    return { text: this.isMutated() ? this.encode() : this.text, updates, version };
  }

  /** The store now holds `saved`; what came after it was computed stays pending. */
  markSaved(saved: PendingAttributeChange): void {
    this.text = saved.text;
    this.isSaved = true;
    this.isRead = false;
    if (this.setVersion > saved.version) return;
    this.isSet = false;
    this.updates = this.updates.slice(saved.updates.length);
  }

  private isWrittenIn(mode: SaveMode): boolean {
    if (mode === SaveMode.OnChange) return this.isMutated();
    if (mode === SaveMode.OnGetAttribute) return this.isRead && this.exists;
    return mode === SaveMode.Always && this.exists && (!this.isSaved || this.isMutated());
  }

  private current(): unknown {
    if (!this.isDecoded) {
      this.value = this.decode(this.text);
      this.isDecoded = true;
    }
    return this.value;
  }

  private replaceBy(value: unknown): void {
    this.value = value;
    this.isDecoded = true;
    this.version += 1;
  }

  private encode(): string | undefined {
    if (!this.isDecoded) return this.text;
    if (this.value === undefined) return undefined;
    const text = this.codec.encode(this.value, this.name);
    if (!text.includes(SEPARATOR) && !this.name.includes(SEPARATOR)) return text;
    throw SessionEncodingError.create(this.name, HAS_SEPARATOR, 'Leave it out.');
  }

  private decode(text: string | undefined): unknown {
    return text === undefined ? undefined : this.codec.decode(text, this.name);
  }

  /** Whether the value was changed in place since it was decoded or saved; a text of other format is no change. */
  private isMutated(): boolean {
    if (!this.isDecoded || this.isChanged) return false;
    if (typeof this.value !== 'object' || this.value === null || this.text === undefined)
      return false;
    try {
      const text = this.codec.encode(this.value, this.name);
      return text !== this.text && text !== this.codec.encode(this.decode(this.text), this.name);
    } catch {
      // JSON has numbers that no value comes back as: who only reads them is not refused.
      return !isDeepStrictEqual(this.value, this.decode(this.text));
    }
  }
}

/** The texts of the stored attributes, by name. */
export type AttributeLookup = Pick<ReadonlyMap<string, string>, 'get' | 'has' | 'keys'>;

/** What a {@link SessionAttributeMap} needs to know of its repository. */
export interface AttributeSetup {
  readonly codec: SessionCodec;
  readonly saveMode: SaveMode;
}

/** The attributes of one session. Those that nobody asks for stay the texts that were read: they cost nothing. */
export class SessionAttributeMap {
  private readonly attributes = new Map<string, SessionAttribute>();

  constructor(
    private readonly setup: AttributeSetup,
    private storedTexts: AttributeLookup,
  ) {}

  /** The store has lost them: what was set since stays. @param storedTexts - of a new session */
  beginAnew(storedTexts: AttributeLookup): void {
    for (const [name, attribute] of this.attributes) {
      if (attribute.isChanged) attribute.rebase(undefined);
      else this.attributes.delete(name);
    }
    this.storedTexts = storedTexts;
  }

  get names(): readonly string[] {
    const names = new Set([...this.storedTexts.keys(), ...this.attributes.keys()]);
    return [...names].filter((name) => this.attributes.get(name)?.exists ?? true);
  }

  /** Whether there is none. Stops at the first one: it is asked for before every change of a new session. */
  get isEmpty(): boolean {
    for (const name of this.storedTexts.keys())
      if (this.attributes.get(name)?.exists ?? true) return false;
    for (const attribute of this.attributes.values()) if (attribute.exists) return false;
    return true;
  }

  /** Whether a save has something to write. */
  get hasPendingChanges(): boolean {
    for (const attribute of this.concerned().values())
      if (attribute.hasPendingChange(this.setup.saveMode)) return true;
    return false;
  }

  /** Whether a change depends on what is stored. */
  get hasPendingUpdates(): boolean {
    return [...this.attributes.values()].some((attribute) => attribute.hasPendingUpdates);
  }

  /** @returns undefined when it neither is stored nor was ever set */
  find(name: string): SessionAttribute | undefined {
    return this.attributes.get(name) ?? (this.storedTexts.has(name) ? this.get(name) : undefined);
  }

  /** The value of an attribute as {@link SessionAttribute.peek} gives it. */
  peek(name: string): unknown {
    const known = this.attributes.get(name);
    if (known) return known.peek();
    const text = this.storedTexts.get(name);
    return text === undefined ? undefined : this.setup.codec.decode(text, name);
  }

  /** @returns an absent one when there is none */
  get(name: string): SessionAttribute {
    let attribute = this.attributes.get(name);
    if (!attribute) {
      attribute = new SessionAttribute(name, this.setup.codec, this.storedTexts.get(name));
      this.attributes.set(name, attribute);
    }
    return attribute;
  }

  /** @param changes - that were not saved. @param current - undefined = whatever is stored does not matter */
  rebase(
    changes: ReadonlyMap<string, AttributeChange>,
    current: ReadonlyMap<string, string | undefined> | undefined,
  ): void {
    for (const [name, { basedOn }] of changes) {
      if (basedOn && current) this.get(name).rebase(current.get(name));
      else if (basedOn) this.get(name).ignoreStored();
    }
  }

  /**
   * @param isNew - nobody else can have changed what is not stored yet
   * @returns what a save has to write, by name
   * @throws SessionEncodingError
   */
  pendingChanges(isNew: boolean): Map<string, PendingAttributeChange> {
    const changes = new Map<string, PendingAttributeChange>();
    for (const [name, attribute] of this.concerned()) {
      const change = attribute.pendingChange(this.setup.saveMode, isNew);
      if (change) changes.set(name, change);
    }
    return changes;
  }

  /** Those that a save may have to write: all in one mode, in the others only what somebody has asked for. */
  private concerned(): ReadonlyMap<string, SessionAttribute> {
    if (this.setup.saveMode === SaveMode.Always) {
      for (const name of this.storedTexts.keys()) this.get(name);
    }
    return this.attributes;
  }
}
