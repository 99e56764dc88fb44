/** Records one access. @param accessTimeMs - epoch ms */
type RecordAccess = (id: string, accessTimeMs: number) => Promise<void>;

/** Accesses that are still to be recorded: the last one of each session. */
export class TouchQueue {
  private accesses = new Map<string, number>();

  constructor(private readonly recordAccess: RecordAccess) {}

  /** How many sessions are waiting. */
  get size(): number {
    return this.accesses.size;
  }

  /** @param accessTimeMs - epoch ms, not before an access that is waiting */
  add(id: string, accessTimeMs: number): void {
    this.accesses.set(id, accessTimeMs);
  }

  remove(id: string): void {
    this.accesses.delete(id);
  }

  /** Records them in one batch. What fails waits for the next one, unless there was a later access. */
  async flush(): Promise<void> {
    const batch = this.accesses;
    this.accesses = new Map();
    const record = async ([id, accessTimeMs]: [string, number]): Promise<void> => {
      try {
        await this.recordAccess(id, accessTimeMs);
      } catch {
        if (!this.accesses.has(id)) this.accesses.set(id, accessTimeMs);
      }
    };
    await Promise.all([...batch].map(record));
  }
}
