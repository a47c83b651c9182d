// Claim: keeps everybody else away from tensors that work off this thread is using, for as long as it takes: of several steps of a
// prediction, none may see weights that another job has changed meanwhile.
import type { Tensor } from "./tensor.js";

let claims = 0;

export class Claim {
  readonly id = ++claims;
  private written: Tensor[] = [];
  private read: Tensor[] = [];

  /**
   * @param doing - what BusyError says is going on, such as "being trained"
   * @param remedy - what BusyError says to do about it
   * @param within - a claim that this one is part of: what it holds is free for us
   */
  constructor(
    readonly doing: string,
    readonly remedy = "await its promise first",
    private readonly within?: Claim,
  ) {}

  /**
   * Takes all of them or throws.
   * @throws BusyError when somebody else writes to one, or reads one that we want to write to
   */
  take(writes: readonly Tensor[], reads: readonly Tensor[] = []): void {
    const foreign = (tensor: Tensor): boolean =>
      tensor.users.writer === undefined || tensor.users.writer !== this.within;
    const [written, read] = [writes.filter(foreign), reads.filter(foreign)];
    for (const tensor of written) tensor.writable();
    for (const tensor of read) tensor.read();
    for (const tensor of written) tensor.users.writer = this;
    for (const { users } of read) users.readers++;
    this.written = written;
    this.read = read;
  }

  /** Whether it holds something to write to. */
  get held(): boolean {
    return this.written.length > 0;
  }

  /** Gives back what was taken; again does nothing. */
  release(): void {
    for (const { users } of this.written) delete users.writer;
    for (const { users } of this.read) users.readers--;
    this.written = [];
    this.read = [];
  }
}
