// The checksum of what a safetensors file holds: of its content and not of its bytes, so that another program may write it in another order.
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import type { SafeTensors } from "./safetensors.js";

const pace = 2 << 20; // bytes that take a millisecond: then others get their turn

/** CRC-32 of all metadata and tensors, by name, as eight hexadecimal digits. Nothing may change until the promise resolves. */
export async function checksumOf({ tensors, metadata }: SafeTensors): Promise<string> {
  let sum = 0;
  for (const entry of [...metadata].sort(byName)) sum = crc32(JSON.stringify(entry), sum);
  let left = pace;
  for (const [name, { dtype, shape, data }] of [...tensors].sort(byName)) {
    sum = crc32(JSON.stringify([name, dtype, shape]), sum);
    for (let begin = 0; begin < data.byteLength;) {
      const piece = new Uint8Array(data.buffer, data.byteOffset + begin, Math.min(left, data.byteLength - begin));
      sum = crc32(piece, sum);
      begin += piece.length;
      left -= piece.length;
      if (left > 0) continue;
      await setImmediate();
      left = pace;
    }
  }
  return sum.toString(16).padStart(8, "0");
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
