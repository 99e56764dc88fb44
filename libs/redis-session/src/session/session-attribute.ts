import { type SessionCodec } from './session-codec.js';
import { type AttributeChange } from './session-change.js';
import { SaveMode } from './save-mode.js';

type Change = (value: unknown) => unknown;

/** A change as it was when a save began. */
export interface PendingAttributeChange extends AttributeChange {
  readonly updates: readonly Change[];
  readonly version: number;
}

/** One attribute in memory: its stored text, decoded at the first read, and what has become of it since. */
export class SessionAttribute {
  private value: unknown;
  private isDecoded = false;
  private isSet = false;
  private updates: readonly Change[] = [];
  private version = 0;

  constructor(
    private readonly name: string,
    private readonly codec: SessionCodec,
    private text: string | undefined,
  ) {}

  get exists(): boolean {
    return this.isDecoded ? this.value !== undefined : this.text !== undefined;
  }

  get(): unknown {
    if (!this.isDecoded) {
      this.value = this.decode(this.text);
      this.isDecoded = true;
    }
    return this.value;
  }

  set(value: unknown): void {
    this.value = value;
    this.isDecoded = true;
    this.isSet = true;
    this.updates = [];
    this.version += 1;
  }

  /** Applies `change` now, and again on the stored value if that turns out to be another one. */
  update(change: Change): void {
    const updates = [...this.updates, change];
    const isRebasable = !this.isSet && !this.isMutated();
    this.set(change(isRebasable && updates.length === 1 ? this.decode(this.text) : this.get()));
    if (!isRebasable) return;
    this.isSet = false;
    this.updates = updates;
  }

  /** The stored text has turned out to be `text`: recomputes the pending updates from it. */
  rebase(text: string | undefined): void {
    this.text = text;
    if (this.updates.length === 0) return;
    this.value = this.updates.reduce((value, change) => change(value), this.decode(text));
  }

  /** @returns what a save in `mode` has to write, undefined when nothing. @throws SessionEncodingError */
  pendingChange(mode: SaveMode): PendingAttributeChange | undefined {
    const { updates, version } = this;
    if (updates.length > 0)
      return { text: this.encode(), basedOn: { text: this.text }, updates, version };
    return this.isSet || this.isWrittenIn(mode)
      ? { text: this.encode(), updates, version }
      : undefined;
  }

  /** The store now holds `saved`; what came after it was computed stays pending. */
  markSaved(saved: PendingAttributeChange): void {
    this.text = saved.text;
    if (this.version === saved.version) {
      this.isSet = false;
      this.updates = [];
    } else if (!this.isSet) {
      this.updates = this.updates.slice(saved.updates.length);
    }
  }

  private isWrittenIn(mode: SaveMode): boolean {
    if (mode === SaveMode.OnChange) return this.isMutated();
    if (mode === SaveMode.OnGetAttribute) return this.isDecoded && this.exists;
    return mode === SaveMode.Always && this.exists;
  }

  private encode(): string | undefined {
    const value = this.get();
    return value === undefined ? undefined : this.codec.encode(value, this.name);
  }

  private decode(text: string | undefined): unknown {
    return text === undefined ? undefined : this.codec.decode(text, this.name);
  }

  private isMutated(): boolean {
    if (!this.isDecoded || this.isSet || this.updates.length > 0) return false;
    if (typeof this.value !== 'object' || this.value === null || this.text === undefined)
      return false;
    const text = this.codec.encode(this.value, this.name);
    return text !== this.text && text !== this.codec.encode(this.decode(this.text), this.name);
  }
}
