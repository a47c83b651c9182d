// Things that take long to make, by name: the most recently used are kept, so that memory stays bounded whatever is asked for.

/** How many recordings are kept for one purpose: of a captured function, of predictions, of a pass over batches. */
export const mostRecordings = 16;

export class Recent<T> {
  // In the order of their last use.
  private readonly kept = new Map<string, T>();

  constructor(private readonly most = mostRecordings) {}

  /** What is kept under `key`, or else made. */
  get(key: string, make: () => T): T {
    const value = this.kept.get(key) ?? make();
    this.kept.delete(key);
    this.kept.set(key, value);
    if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value!);
    return value;
  }
}
