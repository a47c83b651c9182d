// Sorting numbers in pieces, for work that pauses; see turns.ts.

const run = 1 << 14; // what is sorted by the engine in a millisecond
const pace = 1 << 16; // what is merged in less than one

/** Sorts as `Float64Array.sort` does, NaN last; in place or into another array, which is returned. */
export function* sorting(values: Float64Array): Generator<void, Float64Array> {
  for (let begin = 0; begin < values.length; begin += run) {
    values.subarray(begin, begin + run).sort();
    yield;
  }
  let [from, to]: [Float64Array, Float64Array] = [values, new Float64Array(values.length > run ? values.length : 0)];
  for (let width = run; width < values.length; width *= 2) {
    for (let begin = 0; begin < values.length; begin += 2 * width) {
      const end = Math.min(begin + 2 * width, values.length);
      const state = { left: begin, right: Math.min(begin + width, end), to: begin };
      const middle = state.right;
      while (state.to < end) {
        merge(from, to, state, middle, end, Math.min(state.to + pace, end));
        yield;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/** From two sorted parts, up to `middle` and up to `end`, the next of both until `stop`. */
function merge(
  from: Float64Array,
  target: Float64Array,
  state: { left: number; right: number; to: number },
  middle: number,
  end: number,
  stop: number,
): void {
  let { left, right, to } = state;
  while (to < stop) {
    const [a, b] = [from[left]!, from[right]!];
    target[to++] = right === end || (left < middle && (a <= b || Number.isNaN(b))) ? from[left++]! : from[right++]!;
  }
  Object.assign(state, { left, right, to });
}
