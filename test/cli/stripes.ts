// A data set in MNIST's four files that is learnt in a moment. Not a test.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeIdx } from "#lib/data/idx.js";
import { folder } from "./command.js";

const [height, width] = [5, 4];

/** Images of four classes, in turn: one bright row each, on paper that differs from image to image. */
export function stripes(count: number): { shape: number[]; images: Uint8Array; labels: Uint8Array } {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 4);
  const images = Uint8Array.from({ length: count * height * width }, (_, at) => {
    const i = Math.floor(at / (height * width));
    const row = Math.floor((at % (height * width)) / width);
    return row === labels[i] ? 200 + (i % 50) : (at * 7 + i * 13) % 90;
  });
  return { shape: [count, height, width], images, labels };
}

/** Writes the folder `name`; the test files are gzipped. */
export async function writeStripes(name: string, counts: { train: number; test: number }): Promise<void> {
  await mkdir(join(folder, name));
  for (const [prefix, count, suffix] of [
    ["train", counts.train, ""],
    ["t10k", counts.test, ".gz"],
  ] as const) {
    // prettier-ignore
    const { shape, images, labels } = stripes(count);
    await writeIdx(join(folder, name, `${prefix}-images-idx3-ubyte${suffix}`), { shape, data: images });
    await writeIdx(join(folder, name, `${prefix}-labels-idx1-ubyte${suffix}`), { shape: [count], data: labels });
  }
}
