// The curve of a training: the figures of every epoch in a file, a row of numbers each, and only the last of them in memory.
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

/** The figures of an epoch. */
export interface Progress {
  readonly epoch: number;
  readonly figures: Readonly<Record<string, number>>;
}

const bytes = Float64Array.BYTES_PER_ELEMENT;
/** Epochs that are read at a time. */
const block = 1000;

export class Curve {
  /** Epochs that are in the file. */
  count = 0;
  last: Progress | undefined;
  private file: FileHandle | undefined;

  constructor(
    private readonly path: string,
    private names: readonly string[] = [],
  ) {}

  /** Finds what an earlier server has written. */
  async restore(): Promise<void> {
    const file = await open(this.path, "r").catch(() => undefined);
    if (!file) return; // no epoch has ended
    try {
      const count = this.names.length > 0 ? Math.floor((await file.stat()).size / bytes / this.names.length) : 0;
      if (count > 0) [this.last] = await this.rows(file, count - 1, count);
      this.count = count;
    } finally {
      await file.close();
    }
  }

  async begin(names: readonly string[]): Promise<void> {
    this.names = names;
    this.file = await open(this.path, constants.O_RDWR | constants.O_CREAT);
  }

  /** Epochs come in order; after a restart some come again, with the same figures. */
  async add(epoch: number, figures: Readonly<Record<string, number>>): Promise<void> {
    await this.write([this.names.map((name) => figures[name]!)], epoch);
    if (epoch < this.count) return;
    this.last = { epoch, figures };
    this.count = epoch + 1;
  }

  /** Writes the whole curve, in which a crash of the machine may have left gaps. */
  async finish(curves: Readonly<Record<string, readonly number[]>>, epochs: number): Promise<void> {
    for (let from = 0; from < epochs; from += block) {
      const rows = Array.from({ length: Math.min(block, epochs - from) }, (_, i) =>
        this.names.map((name) => curves[name]![from + i]!),
      );
      await this.write(rows, from);
    }
    await this.file!.sync();
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = undefined;
  }

  /** Epochs `from` to `to`, without the latter: all of them, or about `most`, evenly spread, and the last. */
  async *read(from: number, to: number, most = Infinity): AsyncGenerator<Progress> {
    if (from === to - 1 && this.last?.epoch === from) {
      yield this.last;
      return;
    }
    const stride = Math.max(1, Math.ceil((to - from) / most));
    const file = await open(this.path, "r").catch(() => undefined);
    if (!file) return; // deleted meanwhile
    try {
      for (let begin = from; begin < to; begin += block)
        for (const progress of await this.rows(file, begin, Math.min(begin + block, to)))
          if ((progress.epoch - from) % stride === 0 || progress.epoch === to - 1) yield progress;
    } finally {
      await file.close();
    }
  }

  private async rows(file: FileHandle, from: number, to: number): Promise<Progress[]> {
    const width = this.names.length;
    const values = new Float64Array((to - from) * width);
    await file.read(values, 0, values.byteLength, from * width * bytes);
    return Array.from({ length: to - from }, (_, row) => ({
      epoch: from + row,
      figures: Object.fromEntries(this.names.map((name, i) => [name, values[row * width + i]!])),
    }));
  }

  private async write(rows: readonly (readonly number[])[], epoch: number): Promise<void> {
    const values = Float64Array.from(rows.flat());
    const position = epoch * this.names.length * bytes;
    const { bytesWritten } = await this.file!.write(values, 0, values.byteLength, position);
    if (bytesWritten < values.byteLength) throw new Error("the disk is full");
  }
}
