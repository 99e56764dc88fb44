/** Has `size` callers wait for each other, again and again: nobody goes on before all are there. */
export class MeetingPoint {
  private waiting: (() => void)[] = [];

  constructor(private readonly size: number) {}

  arrive(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (this.waiting.length < this.size) return;
      const all = this.waiting;
      this.waiting = [];
      for (const goOn of all) goOn();
    });
  }
}
