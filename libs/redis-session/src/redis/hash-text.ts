/** Between the fields and values that a script joins; no name and no value of ours contains it. */
export const SEPARATOR = '\0';

/**
 * A hash as the scripts give it: one text of fields and values in turn. It is not taken apart: what nobody asks for costs
 * next to nothing, however many fields there are.
 */
export class HashText {
  private constructor(
    private readonly text: string,
    /** Where the parts start. */
    private readonly starts: readonly number[],
  ) {}

  /**
   * @param count - of the parts of `text`
   * @returns undefined when one of them contains the separator
   */
  static parse(count: unknown, text: unknown): HashText | undefined {
    if (Number(count) === 0) return new HashText('', []);
    const joined = String(text);
    const starts = [0];
    for (let at = joined.indexOf(SEPARATOR); at !== -1; at = joined.indexOf(SEPARATOR, at + 1))
      starts.push(at + 1);
    return starts.length === Number(count) ? new HashText(joined, starts) : undefined;
  }

  /** Of fields; one that comes twice counts twice. */
  get size(): number {
    return this.starts.length / 2;
  }

  /** Characters. */
  get length(): number {
    return this.text.length;
  }

  /** The last value of `field`. */
  get(field: string): string | undefined {
    for (let i = this.starts.length - 2; i >= 0; i -= 2) {
      const start = this.startOf(i);
      const isSameLength = this.startOf(i + 1) - start - 1 === field.length;
      if (isSameLength && this.text.startsWith(field, start)) return this.partAt(i + 1);
    }
    return undefined;
  }

  *keys(): Generator<string, void> {
    for (let i = 0; i < this.starts.length; i += 2) yield this.partAt(i);
  }

  private partAt(index: number): string {
    return this.text.slice(this.startOf(index), this.startOf(index + 1) - 1);
  }

  private startOf(index: number): number {
    return this.starts[index] ?? this.text.length + 1;
  }
}
