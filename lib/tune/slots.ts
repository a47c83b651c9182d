// Slots: at most so many pieces of work at a time, those that came first before the others. Knows nothing of what the work is.

export class Slots {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** Does `work` when a slot is free. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    await this.take();
    try {
      return await work();
    } finally {
      this.give();
    }
  }

  /** For work that has a slot: gives it back for as long as `pause` takes. */
  async without<T>(pause: () => Promise<T>): Promise<T> {
    this.give();
    try {
      return await pause();
    } finally {
      await this.take();
    }
  }

  private take(): Promise<void> | undefined {
    if (this.free > 0) {
      this.free--;
      return undefined;
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private give(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.free++;
  }
}
