/** What the names of attributes are preceded by in a hash. */
export const ATTRIBUTE_PREFIX = 'sessionAttr:';

/** The fields of a hash, by name. */
export interface HashFields {
  /** About how many there are; 0 = there is no such hash. */
  readonly size: number;
  get(field: string): string | undefined;
  keys(): Iterable<string>;
}

/** The attributes among the fields of a hash, looked up when somebody asks for them. */
export class AttributeTexts implements ReadonlyMap<string, string> {
  private map: ReadonlyMap<string, string> | undefined;

  constructor(private readonly hash: HashFields) {}

  get size(): number {
    return this.all.size;
  }

  get(name: string): string | undefined {
    return this.hash.get(ATTRIBUTE_PREFIX + name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  keys(): MapIterator<string> {
    return this.all.keys();
  }

  values(): MapIterator<string> {
    return this.all.values();
  }

  entries(): MapIterator<[string, string]> {
    return this.all.entries();
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  forEach(
    visit: (text: string, name: string, map: ReadonlyMap<string, string>) => void,
    thisArgument?: unknown,
  ): void {
    this.all.forEach(visit, thisArgument);
  }

  private get all(): ReadonlyMap<string, string> {
    this.map ??= new Map(this.pairs());
    return this.map;
  }

  private *pairs(): Generator<[string, string], void> {
    for (const field of this.hash.keys()) {
      if (!field.startsWith(ATTRIBUTE_PREFIX)) continue;
      yield [field.slice(ATTRIBUTE_PREFIX.length), this.hash.get(field) ?? ''];
    }
  }
}
