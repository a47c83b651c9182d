// A dense classifier as an ONNX file, written field by field so that no peer needs another to make its model. Writes nothing else.

const float = 1;
const batch = "batch";

/** `images [batch, inputs] → probabilities [batch, classes]`: Gemm with zero bias and ReLU, softmax behind the last; opset 17. */
export function classifier(widths: readonly number[], weights: readonly Float32Array[]): Uint8Array {
  const last = weights.length - 1;
  const nodes: Buffer[] = [];
  const initializers: Buffer[] = [];
  let value = "images";
  for (const [i, weight] of weights.entries()) {
    const [inputs, units] = [widths[i]!, widths[i + 1]!];
    initializers.push(tensor(`weight${i}`, [inputs, units], weight));
    initializers.push(tensor(`bias${i}`, [units], new Float32Array(units)));
    nodes.push(node("Gemm", [value, `weight${i}`, `bias${i}`], `sums${i}`));
    value = i < last ? `hidden${i}` : "probabilities";
    nodes.push(node(i < last ? "Relu" : "Softmax", [`sums${i}`], value));
  }
  const graph = Buffer.concat([
    ...nodes.map((node) => field(1, node)),
    field(2, "classifier"),
    ...initializers.map((initializer) => field(5, initializer)),
    field(11, port("images", widths[0]!)),
    field(12, port("probabilities", widths.at(-1)!)),
  ]);
  const opset = integer(2, 17);
  return Buffer.concat([integer(1, 8), field(7, graph), field(8, opset)]);
}

function node(operator: string, inputs: readonly string[], output: string): Buffer {
  return Buffer.concat([...inputs.map((input) => field(1, input)), field(2, output), field(4, operator)]);
}

function tensor(name: string, dims: readonly number[], values: Float32Array): Buffer {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([...dims.map((dim) => integer(1, dim)), integer(2, float), field(8, name), field(9, bytes)]);
}

/** An input or output of any number of rows. */
function port(name: string, columns: number): Buffer {
  const shape = Buffer.concat([field(1, field(2, batch)), field(1, integer(1, columns))]);
  const type = field(1, Buffer.concat([integer(1, float), field(2, shape)]));
  return Buffer.concat([field(1, name), field(2, type)]);
}

// Protocol buffers: a key of field number and wire type, then a varint (0) or a length and bytes (2).
function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function integer(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Buffer.from([...bytes, value]);
}
