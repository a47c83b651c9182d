// Which matrix products are timed, in named groups. Times none.
import { UsageError } from "./suite.js";

export interface Shape {
  readonly name: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether a and b are given transposed: `nt` is a · bᵀ. */
  readonly form: string;
}

const groups: Readonly<Record<string, string>> = {
  // What layers make, forward and backward.
  table:
    "128x512x784:nn,128x512x784:nt,128x256x512:nt,128x10x256:nt,128x512x256:nn,512x784x128:tn,784x512x128:tn,10x256x128:tn,32x64x64:nt,32x64x64:nn," +
    "32x256x256:nt,32x1024x1024:nt,8x512x512:nn,512x10x512:nn,127x129x131:nt,33x77x101:nn,96x96x96:tt",
  squares: [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048].map((n) => `${n}x${n}x${n}:nn`).join(),
  // Primes, skinny ones, and m, n or k of 1 to 16.
  odd:
    "1x1x1:nn,1x512x784:nn,128x1x512:nn,512x784x1:nn,1x1x4096:nt,2x1000x3:nn,3x5x7:nn,4x300x300:nt,5x640x48:tn,7x7x4999:tn,1021x3x16:nn,11x499x1009:nt," +
    "13x13x13:tt,16x16x1024:nt,16x2048x16:nn,17x31x61:tn,37x1x37:tt,97x89x83:nt,101x103x107:tt,251x257x263:nn,509x6x521:tn,1000x12x100:nt,2000x15x2:nn,4096x8x64:tn," +
    "1x1x1000:nn,100x1000x1:nn,300x300x5:nn,3x500x200:nn,2000x16x64:nn,1000x1x100:nn,2x256x256:nn,1x784x512:nt,31x257x63:tn,61x67x71:nn",
};

/** `all` is every group, and the default. */
export const groupNames = [...Object.keys(groups), "all"];

/** Shapes from groups and single ones, each written MxNxK:form. */
export function shapesOf(list: string): Shape[] {
  const all = Object.values(groups).join();
  return list
    .split(",")
    .flatMap((text) => (text.trim() === "all" ? all : groups[text.trim()])?.split(",").map(parse) ?? [parse(text)]);
}

function parse(text: string): Shape {
  const match = /^(\d+)x(\d+)x(\d+)(?::([nt]{2}))?$/.exec(text.trim());
  const [m, n, k] = (match?.slice(1, 4) ?? []).map(Number);
  if (!m || !n || !k)
    throw new UsageError(
      `"${text}" is no shape; write MxNxK or MxNxK:form, such as 128x512x784:nt, with form nn, nt, tn or tt; or one of ${groupNames.join(", ")}`,
    );
  const form = match?.[4] ?? "nn";
  return { name: `${m}x${n}x${k}:${form}`, m, n, k, form };
}
