// Layers that change examples in training: each against its formula, how often chance strikes, the same bits however they run, what is refused.
import { describe, expect, it, test } from "vitest";
import {
  capture,
  datasets,
  dense,
  flatten,
  gaussianNoise,
  gradients,
  layerFromConfig,
  parameter,
  randomElastic,
  randomFlip,
  randomRotation,
  randomStream,
  randomTranslation,
  randomUniform,
  randomZoom,
  sequential,
  tensor,
  type Layer,
  type Shape,
  type Tensor,
} from "simdnn";
import { failure } from "../failure.js";

const context = (step = 0, training = true) => ({
  training,
  random: { seed: 5, stream: 3, counter: tensor(step, { dtype: "int32" }) },
});
const change = (layer: Layer, input: Tensor, step = 0): Tensor => layer.call(input, {}, context(step));
const rowsOf = (x: Tensor): number[][] => {
  const [values, width] = [Array.from(x.data()), x.size / x.shape[0]!];
  return Array.from({ length: x.shape[0]! }, (_, i) => values.slice(i * width, (i + 1) * width));
};

function noise(shape: Shape, seed = 1): Tensor {
  const random = randomStream(seed);
  return tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    { shape },
  );
}

/** The same image in every row. */
const copies = (image: readonly (readonly number[])[], count: number): Tensor =>
  tensor(Float32Array.from(Array.from({ length: count }, () => image.flat(1)).flat()), {
    shape: [count, image.length, image[0]!.length],
  });

const letter = [[1, 2, 3], [4, 5, 6]]; // prettier-ignore
const mean = (list: readonly number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length;
const deviation = (list: readonly number[]): number => Math.sqrt(mean(list.map((x) => (x - mean(list)) ** 2)));

const everyLayer: [string, Shape, () => Layer][] = [
  ["randomFlip", [4, 6], () => randomFlip()],
  ["randomTranslation", [4, 6, 3], () => randomTranslation({ height: 0.2, width: [0, 0.3], fill: "wrap" })],
  ["randomRotation", [24], () => randomRotation({ factor: 0.1, imageShape: [4, 6], fill: "constant", value: 0.5 })],
  ["randomZoom", [4, 6], () => randomZoom({ height: 0.3 })],
  ["randomZoom out of proportion", [24], () => randomZoom({ height: 0.3, width: [-0.5, 0], imageShape: [2, 4, 3] })],
  ["randomElastic", [9, 8], () => randomElastic({ alpha: 8, sigma: 1.5, fill: "nearest" })],
  ["gaussianNoise", [7], () => gaussianNoise(0.3)],
];

describe.each(everyLayer)("%s", (_name, shape, make) => {
  const input = noise([5, ...shape]);

  it("changes examples in training only, otherwise in each step", () => {
    const layer = make();
    expect(layer.call(input, {}, context(0, false))).toBe(input);
    const [first, second] = [change(layer, input, 0), change(layer, input, 1)];
    expect(first.shape).toEqual(input.shape);
    expect(first.data()).not.toEqual(input.data());
    expect(first.data()).not.toEqual(second.data());
    expect(change(make(), input, 0).data()).toEqual(first.data());
  });

  it("gives the same bits captured", () => {
    const layer = make();
    const captured = capture((x: Tensor, step: Tensor) =>
      layer.call(x, {}, { training: true, random: { seed: 5, stream: 3, counter: step } }),
    );
    for (const step of [0, 1])
      expect(captured(input, tensor(step, { dtype: "int32" })).data()).toEqual(change(layer, input, step).data());
  });

  it("comes back from its description", () => {
    const { type, options } = make();
    const again = layerFromConfig(JSON.parse(JSON.stringify({ type, options })) as Layer);
    expect(again.options).toEqual(options);
    expect(change(again, input).data()).toEqual(change(make(), input).data());
  });

  it("passes gradients on to what is before it", () => {
    const x = tensor(Float64Array.from(input.data()), { shape: input.shape, dtype: "float64" });
    const direction = tensor(Float64Array.from(noise(input.shape, 2).data()), { shape: input.shape, dtype: "float64" });
    const weights = tensor(Float64Array.from(noise(input.shape, 3).data()), { shape: input.shape, dtype: "float64" });
    const layer = make();
    const value = (t: number): number =>
      change(layer, x.add(direction.mul(t)))
        .mul(weights)
        .sum()
        .item();
    const free = parameter(x.data(), { shape: x.shape });
    const [gradient] = gradients(change(layer, free).mul(weights).sum(), [free]);
    const along = gradient.mul(direction).sum().item();
    expect((value(1) - value(-1)) / 2).toBeCloseTo(along, 9); // every one of them is linear in its input
  });
});

test("a model with all of them trains to the same bits on any number of threads, and predicts without them", async () => {
  const digits = await datasets.digits({ count: 300, seed: 1 });
  const image = { imageShape: [28, 28], fill: "constant" } as const;
  const make = () => {
    const layers = [
      randomFlip({ ...image, mode: "vertical" }),
      randomTranslation({ ...image, height: 0.1, width: 0.1 }),
      randomRotation({ ...image, factor: 0.05 }),
      randomZoom({ ...image, height: 0.1 }),
      randomElastic(image),
      gaussianNoise(0.1),
      dense(16, { activation: "relu" }),
      dense(10),
    ];
    return sequential(layers, { inputShape: [784], seed: 3 }).compile({ loss: "softmaxCrossEntropy" });
  };
  const [one, two, plain] = [make(), make(), make()];
  await one.fit(digits, { epochs: 1, batchSize: 128, threads: 1 });
  await two.fit(digits, { epochs: 1, batchSize: 128, threads: 4 });
  expect(one.getWeights()).toEqual(two.getWeights());
  expect(one.getWeights()).not.toEqual(plain.getWeights());
  const predictions = async () => (await one.predict(digits.inputs)).data();
  expect(await predictions()).toEqual(await predictions());
  const bare = sequential([dense(16, { activation: "relu" }), dense(10)], { inputShape: [784], seed: 3 });
  bare.compile({ loss: "softmaxCrossEntropy" }).setWeights(one.getWeights());
  expect((await bare.predict(digits.inputs)).data()).toEqual(await predictions());
  expect(one.summary()).toContain("randomElastic1");
});

describe("randomFlip", () => {
  const sides = [[3, 2, 1], [6, 5, 4]]; // prettier-ignore
  const upside = [[4, 5, 6], [1, 2, 3]]; // prettier-ignore
  const both = [[6, 5, 4], [3, 2, 1]]; // prettier-ignore

  test.each([
    ["horizontal", [letter, sides]],
    ["vertical", [letter, upside]],
    ["horizontalAndVertical", [letter, sides, upside, both]],
  ] as const)("%s: each version equally often, to the bit", (mode, versions) => {
    const count = 2000;
    const seen = new Map<string, number>();
    for (const row of rowsOf(change(randomFlip({ mode }), copies(letter, count))))
      seen.set(String(row), (seen.get(String(row)) ?? 0) + 1);
    expect([...seen.keys()].sort()).toEqual(versions.map((version) => String(version.flat())).sort());
    const share = 1 / versions.length;
    for (const times of seen.values())
      expect(Math.abs(times - count * share)).toBeLessThan(5 * Math.sqrt(count * share * (1 - share)));
  });

  it("leaves the channels of a pixel in their order", () => {
    const pixels = tensor([[[[1, 10], [2, 20]]]]); // prettier-ignore
    const rows = [0, 1, 2, 3, 4, 5].map((step) =>
      String(change(randomFlip({ mode: "horizontal" }), pixels, step).data()),
    );
    expect(new Set(rows)).toEqual(new Set(["1,10,2,20", "2,20,1,10"]));
  });
});

describe("randomTranslation", () => {
  it("moves down and to the right, by shares of the size", () => {
    const move = (height: number, width: number) =>
      rowsOf(change(randomTranslation({ height: [height, height], width: [width, width], fill: "constant", value: 9 }), copies(letter, 1)))[0]; // prettier-ignore
    expect(move(0.5, 0)).toEqual([9, 9, 9, 1, 2, 3]);
    expect(move(-0.5, 0)).toEqual([4, 5, 6, 9, 9, 9]);
    // A third of three pixels; float32 has no third, so there is a little of the neighbour.
    move(0, 1 / 3)!.forEach((pixel, i) => expect(pixel).toBeCloseTo([9, 1, 2, 9, 4, 5][i]!, 5));
    move(0, 0.5)!.forEach((pixel, i) => expect(pixel).toBeCloseTo([9, 5, 1.5, 9, 6.5, 4.5][i]!, 5)); // one and a half
  });

  it("draws evenly from its range, for each image and direction alone", () => {
    const ramp = [Array.from({ length: 9 }, (_, x) => x)];
    const shifts = rowsOf(change(randomTranslation({ height: 0, width: [-0.25, 0.25] }), copies(ramp, 4000))).map((row) => 4 - row[4]!); // prettier-ignore
    expect(Math.abs(mean(shifts))).toBeLessThan((5 * 2.25) / Math.sqrt(3 * 4000));
    expect(deviation(shifts)).toBeCloseTo(2.25 / Math.sqrt(3), 1);
    expect(Math.max(...shifts.map(Math.abs))).toBeLessThanOrEqual(2.25 + 1e-5);
  });
});

describe("randomRotation", () => {
  it("turns counter-clockwise", () => {
    const quarter = randomRotation({ factor: [0.25, 0.25] });
    const square = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]; // prettier-ignore
    const turned = [3, 6, 9, 2, 5, 8, 1, 4, 7]; // what was on the right is at the top
    rowsOf(change(quarter, copies(square, 1)))[0]!.forEach((pixel, i) => expect(pixel).toBeCloseTo(turned[i]!, 4));
  });

  it("by angles drawn evenly from its range", () => {
    // On a plane that rises by 1 per row the pixel right of the centre comes from sin θ rows below it.
    const plane = [-1, 0, 1].map((y) => [y, y, y]);
    const turns = rowsOf(change(randomRotation({ factor: [0, 0.2] }), copies(plane, 3000))).map(
      (row) => Math.asin(row[5]!) / (2 * Math.PI),
    );
    expect(Math.min(...turns)).toBeGreaterThanOrEqual(-1e-6);
    expect(turns.every((turn) => turn <= 0.2 + 1e-6)).toBe(true);
    expect(Math.abs(mean(turns) - 0.1)).toBeLessThan((5 * 0.2) / Math.sqrt(12 * 3000));
  });
});

describe("randomZoom", () => {
  it("shows more of the image, smaller, for positive factors, and less for negative ones", () => {
    const ramp = [[0, 1, 2, 3, 4]];
    const zoom = (factor: number, width?: number) =>
      rowsOf(change(randomZoom({ height: [factor, factor], ...(width !== undefined && { width: [width, width] }), fill: "nearest" }), copies(ramp, 1)))[0]; // prettier-ignore
    expect(zoom(0.5)).toEqual([0, 0.5, 2, 3.5, 4]);
    expect(zoom(-0.5)).toEqual([1, 1.5, 2, 2.5, 3]);
    expect(zoom(0.5, -0.5)).toEqual([1, 1.5, 2, 2.5, 3]);
  });
});

describe("randomElastic", () => {
  const [height, width] = [12, 10];
  const [alpha, sigma] = [20, 2];

  it("fetches pixels from where the smoothed noise says", () => {
    const batch = 2;
    // What is drawn, in the layer's order: rows, images, directions, columns.
    const drawn = randomUniform([height, 2 * batch * width], { seed: 5, stream: 3, low: -1 }).data();
    const kernel = (d: number): number => Math.exp((-d * d) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI));
    const shift = (image: number, direction: number, y: number, x: number): number => {
      let sum = 0;
      for (let i = 0; i < width; i++)
        for (let j = 0; j < height; j++)
          sum += kernel(x - i) * kernel(y - j) * drawn[(j * 2 * batch + 2 * image + direction) * width + i]!;
      return alpha * sum;
    };
    // Inside a plane that goes on, a pixel says where it comes from.
    const [far, wide] = [0.001, 1];
    const plane = Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => wide * x + far * y));
    const seen = rowsOf(change(randomElastic({ alpha, sigma, fill: "nearest" }), copies(plane, batch)));
    const within = (place: number, size: number): number => Math.min(Math.max(place, 0), size - 1);
    for (let image = 0; image < batch; image++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const [fromX, fromY] = [within(x + shift(image, 0, y, x), width), within(y + shift(image, 1, y, x), height)];
          expect(Math.abs(seen[image]![y * width + x]! - (wide * fromX + far * fromY))).toBeLessThan(1e-4);
        }
  });

  it("shifts by about alpha / (6.1 sigma) pixels", () => {
    const row = Array.from({ length: 41 }, (_, x) => x);
    const images = copies(Array.from({ length: 41 }, () => row), 300); // prettier-ignore
    const middles = rowsOf(change(randomElastic(), images)).map((pixels) => pixels[20 * 41 + 20]! - 20);
    expect(deviation(middles) / (34 / 6.14 / 4)).toBeGreaterThan(1 - 5 / Math.sqrt(600)); // five standard errors
    expect(deviation(middles) / (34 / 6.14 / 4)).toBeLessThan(1 + 5 / Math.sqrt(600));
  });
});

test("gaussianNoise has mean 0 and the given deviation", () => {
  const input = noise([200, 100]);
  const added = Array.from(
    change(gaussianNoise({ deviation: 0.25 }), input)
      .sub(input)
      .data(),
  );
  expect(Math.abs(mean(added))).toBeLessThan((5 * 0.25) / Math.sqrt(20_000));
  expect(Math.abs(deviation(added) - 0.25)).toBeLessThan((5 * 0.25) / Math.sqrt(40_000));
  expect(change(gaussianNoise(0), input)).toBe(input);
});

describe("refusals", () => {
  const asAny = (options: object) => options as never;
  test.each([
    [() => randomFlip({ mode: "sideways" as never }), 'randomFlip: expected one of "horizontal", "vertical", "horizontalAndVertical" for mode but received "sideways" (string)'],
    [() => randomFlip({ fil: "wrap" } as never), 'randomFlip: unknown option "fil"; did you mean "fill"?'],
    [() => randomFlip({ fill: "mirror" as never }), 'randomFlip: expected one of "constant", "nearest", "reflect", "wrap" for fill but received "mirror" (string)'],
    [() => randomFlip({ imageShape: [784] }), "randomFlip: expected [height, width] or [height, width, channels] for imageShape but received [ 784 ] (array)"],
    [() => randomTranslation(asAny({ height: 0.1 })), "randomTranslation: expected a number or [low, high] for width but received undefined"],
    [() => randomRotation({ factor: [0.2, 0.1] }), "randomRotation: expected a number or [low, high] for factor but received [ 0.2, 0.1 ] (array)"],
    [() => randomRotation({ factor: NaN }), "randomRotation: expected a number or [low, high] for factor but received NaN (number)"],
    [() => randomZoom({ height: [-1, 0] }), "randomZoom: expected a number or [low, high], above -1 for height but received [ -1, 0 ] (array)"],
    [() => randomElastic({ sigma: 0 }), "randomElastic: expected a positive number for sigma but received 0 (number)"],
    [() => randomElastic({ alpha: -1 }), "randomElastic: expected a number >= 0 for alpha but received -1 (number)"],
    [() => gaussianNoise(-0.1), "gaussianNoise: expected a number >= 0 for deviation but received -0.1 (number)"],
    [() => gaussianNoise(undefined as never), "gaussianNoise: expected a number >= 0 for deviation but received undefined"],
  ])("%#", (make, message) => {
    expect(make).toThrow(failure("OptionError", message));
  }); // prettier-ignore

  it("of examples that are no images, when the model is built", () => {
    expect(() => sequential([randomFlip(), dense(2)], { inputShape: [784] })).toThrow(
      failure("ShapeError", /where they come as rows of pixels, give imageShape/),
    );
    expect(() => sequential([randomFlip({ imageShape: [28, 27] }), dense(2)], { inputShape: [784] })).toThrow(
      failure("ShapeError", /an image of \[28, 27\] does not fill the example/),
    );
    const model = sequential([randomFlip(), flatten(), dense(1)], { inputShape: [2, 3], seed: 1 });
    expect(model.outputShape).toEqual([1]);
  });
});
