import { describe, expect, it } from "vitest";
import { adam, capture, gradients, matmul, ops, parameter, sgd, tensor, tick, type Tensor } from "simdnn";

describe("capture", () => {
  it("minimises w² - 10w + 25 to 5, captured and eagerly", () => {
    const run = (wrap: (step: () => Tensor) => () => Tensor): [number, number] => {
      const w = parameter(0);
      const optimizer = sgd({ learningRate: 0.01 });
      const step = wrap(() => {
        const cost = w.square().sub(w.mul(10)).add(25);
        optimizer.minimize(cost, [w]);
        return cost;
      });
      let cost = NaN;
      for (let i = 0; i < 1000; i++) cost = step().item();
      return [w.item(), cost];
    };
    const captured = run((step) => capture(step));
    expect(captured[0]).toBeCloseTo(5, 4);
    expect(captured).toEqual(run((step) => step));
  });

  it("takes coefficients as an argument", () => {
    const w = parameter(0);
    const optimizer = sgd({ learningRate: 0.01 });
    const step = capture((x: Tensor) => {
      const [a, b, c] = [0, 1, 2].map((i) => x.slice([i], [1]).reshape([])) as [Tensor, Tensor, Tensor];
      optimizer.minimize(w.square().mul(a).add(w.mul(b)).add(c), [w]);
    });
    for (let i = 0; i < 1000; i++) step([1, -20, 100]);
    expect(w.item()).toBeCloseTo(10, 4);
  });

  it("keeps the recordings of the 16 shapes used last", () => {
    let recordings = 0;
    const sum = capture((x: Tensor) => {
      recordings++;
      return x.sum();
    });
    const call = (length: number): number => sum(new Float32Array(length).fill(1)).item();
    for (let length = 1; length <= 16; length++) expect(call(length)).toBe(length);
    call(1); // used again, so that 2 is the oldest
    call(17);
    expect(recordings).toBe(17);
    expect([call(1), recordings]).toEqual([1, 17]);
    expect([call(2), recordings]).toEqual([2, 18]);
  });

  it("records once per shape and dtype of the arguments", () => {
    let recordings = 0;
    const double = capture((x: Tensor) => {
      recordings++;
      return x.mul(2);
    });
    expect(double([1, 2]).data()).toEqual(Float32Array.of(2, 4));
    expect(double([3, 4]).data()).toEqual(Float32Array.of(6, 8));
    expect(recordings).toBe(1);
    expect(double([1, 2, 3]).data()).toEqual(Float32Array.of(2, 4, 6));
    expect(double(new Float64Array([1, 2])).dtype).toBe("float64");
    expect(recordings).toBe(3);
  });

  it("returns copies: a later call does not change an earlier result", () => {
    const double = capture((x: Tensor) => x.mul(2));
    const [first, second] = [double([1]), double([5])];
    expect([first.item(), second.item()]).toEqual([2, 10]);
  });

  it("returns nothing, arrays, records, arguments and parameters alike", async () => {
    const w = parameter([1, 2]);
    const all = capture((x: Tensor) => ({ sum: x.add(w), w, x }));
    const { sum, w: same, x } = all([10, 20]);
    expect(sum.data()).toEqual(Float32Array.of(11, 22));
    expect(same).toBe(w);
    expect(x.data()).toEqual(Float32Array.of(10, 20));
    all([0, 0]);
    expect(x.data()).toEqual(Float32Array.of(10, 20));
    expect(capture((y: Tensor) => [y.neg(), y.abs()])([-1]).map((y) => y.item())).toEqual([1, 1]);
    const nothing: unknown = capture((): Tensor[] => [])();
    expect(nothing).toEqual([]);
    expect((await all.async([1, 1])).sum.data()).toEqual(Float32Array.of(2, 3));
  });

  it("gives a temporary that is returned together with its reshape both their values", () => {
    const f = capture((x: Tensor) => {
      const y = x.mul(2);
      return [y, y.reshape([3, 2]), y.add(1)];
    });
    const [y, z, w] = f([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
    expect(z!.shape).toEqual([3, 2]);
    expect(z!.data()).toEqual(y!.data());
    expect([...w!.data()]).toEqual([3, 5, 7, 9, 11, 13]);
  });

  it("has no value for an argument while it records", () => {
    expect(() => capture((x: Tensor) => x.mul(x.item()))([2])).toThrow(
      "argument 1: has no value while it is being captured",
    );
  });

  it("feeds an argument that is only used under another shape, also to async calls", async () => {
    const doubled = capture((x: Tensor) => x.reshape([2, 1]).add(x.reshape([2, 1])));
    expect(doubled([1, 2]).data()).toEqual(Float32Array.of(2, 4));
    expect((await doubled.async([3, 4])).data()).toEqual(Float32Array.of(6, 8));
  });

  it("counts with tick, also through async calls", async () => {
    const counter = tensor(0, { dtype: "int32" });
    const next = capture(() => tick(counter));
    expect([next().item(), next().item(), (await next.async()).item(), counter.item()]).toEqual([0, 1, 2, 3]);
  });

  it("refuses to read a value that is only being recorded", () => {
    const f = capture((x: Tensor) => x.mul(x.sum().item()));
    expect(() => f([1, 2])).toThrow(
      "has no value while it is being captured; return it from the captured function instead",
    );
    const ok = capture((x: Tensor) => x.mul(2));
    expect(ok([1]).item()).toBe(2); // the failed recording is forgotten
  });

  it("refuses tensors of another capture, nesting and async functions", () => {
    let leaked: Tensor | undefined;
    capture((x: Tensor) => void (leaked = x.mul(2)))([1]);
    expect(() => capture((x: Tensor) => x.add(leaked!))([1])).toThrow("was made while capturing something else");
    expect(() => leaked!.add(1)).toThrow("has no value while it is being captured");
    const inner = capture((x: Tensor) => x.mul(2));
    expect(() => capture((x: Tensor) => inner(x))([1])).toThrow("cannot be called while another is being recorded");
    expect(() => capture((async (x: Tensor) => Promise.resolve(x)) as never)(1)).toThrow("must not be async");
  });

  it("is locked while an async call runs", async () => {
    const w = parameter(new Float32Array(300 * 300), { shape: [300, 300], name: "w" });
    const optimizer = adam();
    const step = capture((x: Tensor) => {
      const cost = matmul(x, w).sum();
      optimizer.minimize(cost, [w]);
      return cost;
    });
    const x = new Float32Array(300 * 300).fill(1e-3);
    const input = tensor(x, { shape: [300, 300] });
    const running = step.async(input);
    expect(() => step(input)).toThrow("await its promise first");
    expect(() => w.data()).toThrow('"w" is being computed; await its promise first');
    await expect(step.async(input)).rejects.toMatchObject({ code: "BusyError" });
    x.fill(NaN); // the caller's arrays are copied
    expect((await running).item()).toBe(0);
    expect(step(input).item()).toBeLessThan(0);
  });

  it("rejects an async call with the caller's stack", async () => {
    const f = capture((labels: Tensor) => ops.gather(tensor([1, 2]), labels));
    const failure = (await f.async(Int32Array.of(0, 7)).catch((error: unknown) => error)) as Error;
    expect(failure).toMatchObject({ code: "IndexError" });
    expect(failure.stack).toContain("capture.test.ts");
    expect(() => f(Int32Array.of(-1))).toThrow("expected an integer from 0 to 1");
    expect(f(Int32Array.of(1, 0)).data()).toEqual(Float32Array.of(2, 1));
  });
});

describe("gradients", () => {
  it("refuse values that were changed in place since they were used", () => {
    const w = parameter(3);
    const cost = w.square();
    sgd().minimize(w.square(), [w]);
    expect(() => gradients(cost, [w])).toThrow("was changed in place after square used it");
  });

  it("take costs from the same parameters one after the other", () => {
    const w = parameter(3);
    const optimizer = sgd({ learningRate: 0.1 });
    optimizer.minimize(w.square(), [w]);
    optimizer.minimize(w.square(), [w]);
    expect(w.item()).toBeCloseTo(3 * 0.8 * 0.8, 6);
  });

  it("keep parameters as they were when the cost is not finite", () => {
    const w = parameter(-1, { name: "w" });
    expect(() => sgd().minimize(w.log(), [w])).toThrow("the cost became NaN");
    expect(w.item()).toBe(-1);
  });
});
