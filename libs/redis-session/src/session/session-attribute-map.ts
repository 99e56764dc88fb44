import { SaveMode } from './save-mode.js';
import { type PendingAttributeChange, SessionAttribute } from './session-attribute.js';
import { type SessionCodec } from './session-codec.js';

/** What a {@link SessionAttributeMap} needs to know of its repository. */
export interface AttributeContext {
  readonly codec: SessionCodec;
  readonly saveMode: SaveMode;
}

/** The attributes of one session. Those that nobody asks for stay the texts that were read: they cost nothing. */
export class SessionAttributeMap {
  private readonly attributes = new Map<string, SessionAttribute>();

  constructor(
    private readonly context: AttributeContext,
    private readonly storedTexts: ReadonlyMap<string, string>,
  ) {}

  get names(): readonly string[] {
    const names = new Set([...this.storedTexts.keys(), ...this.attributes.keys()]);
    return [...names].filter((name) => this.attributes.get(name)?.exists ?? true);
  }

  /** Whether a save has something to write. */
  get hasPendingChanges(): boolean {
    for (const attribute of this.concerned().values()) {
      if (attribute.hasPendingChange(this.context.saveMode)) return true;
    }
    return false;
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
    return text === undefined ? undefined : this.context.codec.decode(text, name);
  }

  /** @returns an absent one when there is none */
  get(name: string): SessionAttribute {
    let attribute = this.attributes.get(name);
    if (!attribute) {
      attribute = new SessionAttribute(name, this.context.codec, this.storedTexts.get(name));
      this.attributes.set(name, attribute);
    }
    return attribute;
  }

  /** @returns what a save has to write, by name. @throws SessionEncodingError */
  pendingChanges(): Map<string, PendingAttributeChange> {
    const changes = new Map<string, PendingAttributeChange>();
    for (const [name, attribute] of this.concerned()) {
      const change = attribute.pendingChange(this.context.saveMode);
      if (change) changes.set(name, change);
    }
    return changes;
  }

  /** Those that a save may have to write: all in one mode, in the others only what somebody has asked for. */
  private concerned(): ReadonlyMap<string, SessionAttribute> {
    if (this.context.saveMode === SaveMode.Always) {
      for (const name of this.storedTexts.keys()) this.get(name);
    }
    return this.attributes;
  }
}
