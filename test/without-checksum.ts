/** A file that simdnn wrote, as if another program had: it may be changed without being noticed by its checksum, and reaches what reads it. */
export function withoutChecksum(file: Buffer): Buffer {
  const key = file.indexOf("simdnn.crc32");
  if (key < 0) throw new Error("it has no checksum");
  const changed = Buffer.from(file);
  changed.write("another.sum!", key);
  return changed;
}
