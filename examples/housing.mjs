// Finds a network for the house prices of California by searching coarse to fine, and compares it with a plain one on districts that neither has
// seen: `node examples/housing.mjs [--quick] [california-housing.csv]`. The file may also be named by the variable CALIFORNIA_HOUSING.
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parse } from "csv-parse/sync";
import { adam, adamw, cosineDecay, dataset, dense, dropout, randomStream, sequential, space, tune, uniform } from "simdnn"; // prettier-ignore

const quick = process.argv.includes("--quick"); // to see that it works, not how well
const path = process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? process.env.CALIFORNIA_HOUSING;
if (!path || !existsSync(path)) {
  console.error(
    "Give the path of california-housing.csv (20,640 districts of the census of 1990; housing.csv of github.com/ageron/handson-ml2):\n" +
      "node examples/housing.mjs path/to/california-housing.csv",
  );
  process.exit(1);
}

// A fifth of the districts is the test set and another tenth the dev set. Test sets differ: over 24 splits the plain network below is 49,200 to 53,700 dollars
// off, 51,800 on average. This is the first split where three of it are off by the 51,600 to 52,000 that it is known for; no other network had a say.
const split = Number(process.env.HOUSING_SPLIT ?? 21);
const districts = randomStream(split).shuffle(parse(readFileSync(path), { columns: true }));
const [testCount, devCount] = [0.2, 0.1].map((share) => Math.round(share * districts.length));
const test = districts.slice(0, testCount);
const dev = districts.slice(testCount, testCount + devCount);
const fitting = districts.slice(testCount + devCount);
const training = [...dev, ...fitting];

const target = "median_house_value";
const category = "ocean_proximity";
const columns = Object.keys(districts[0]).filter((name) => name !== target && name !== category);

/**
 * Learns from `known` districts what turns any district into numbers: medians for what is missing, the categories, means and deviations. With `logs` counts
 * and incomes, of which few are large, go in as their logarithms.
 */
function preparation(known, logs) {
  const medians = columns.map((name) => median(known.map((row) => row[name]).filter((text) => text !== "").map(Number))); // prettier-ignore
  const categories = [...new Set(known.map((row) => row[category]))].sort();
  const features = (row) => [
    ...columns.map((name, i) => {
      const value = row[name] === "" ? medians[i] : Number(row[name]);
      return logs && /^total_|^population|^households|_income$/.test(name) ? Math.log(value) : value;
    }),
    ...categories.map((value) => (row[category] === value ? 1 : 0)),
  ];
  const inputScales = transposed(known.map(features)).map(scaleOf);
  const targetScale = scaleOf(known.map((row) => Number(row[target])));
  const scaled = (value, { mean, deviation }) => (value - mean) / deviation;
  return {
    /** Districts as examples whose inputs and prices have mean 0 and deviation 1 over the known ones. */
    of: (rows) =>
      dataset(
        rows.map((row) => features(row).map((value, i) => scaled(value, inputScales[i]))),
        rows.map((row) => [scaled(Number(row[target]), targetScale)]),
      ),
    /** From the price of such an example to dollars, and from an error. */
    price: (value) => targetScale.mean + targetScale.deviation * value,
    error: (value) => targetScale.deviation * value,
  };
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

function transposed(rows) {
  return rows[0].map((_, i) => rows.map((row) => row[i]));
}

function scaleOf(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}

const compiled = { loss: "meanSquaredError", metrics: ["rootMeanSquaredError"] };
const epochs = quick ? 1 : 100;

/** The network of a configuration. Its learning rate goes to 0 along half a cosine; λ is decoupled weight decay. */
function build({ layers, units, activation, dropoutRate, learningRate, beta, lambda, batchSize }, seed, { size, inputShape }) {
  const hidden = Array.from({ length: layers }, () => [dense(units, { activation }), dropout(dropoutRate)]);
  const rate = cosineDecay({ initial: learningRate, over: epochs * Math.ceil(size / batchSize) });
  const optimizer = adamw({ learningRate: rate, beta1: beta, weightDecay: lambda });
  return sequential([...hidden.flat(), dense(1)], { inputShape, seed }).compile({ ...compiled, optimizer });
} // prettier-ignore

// The search sees the fitting and the dev set.
const viewsOf = (known, others) =>
  Object.fromEntries(
    ["plain", "logs"].map((inputs) => {
      const { of, ...dollars } = preparation(known, inputs === "logs");
      return [inputs, { known: of(known), others: of(others), ...dollars }];
    }),
  );
const seen = viewsOf(fitting, dev);
const result = await tune(
  {
    learningRate: space.log(1e-3, 2e-2),
    beta: space.oneMinus(0.9, 0.999), // Adam's β₁, its momentum
    layers: space.integer(2, 4),
    units: space.logInteger(64, 256),
    activation: space.choice(["relu", "tanh", "swish"]),
    dropoutRate: space.linear(0, 0.25),
    lambda: space.log(1e-5, 1e-1),
    batchSize: space.choice([64, 128, 256]),
    inputs: space.choice(["plain", "logs"]),
  },
  async (config, { seed, threads, signal }) => {
    const { known, others, error } = seen[config.inputs];
    const model = build(config, seed, known);
    await model.fit(known, { epochs, batchSize: config.batchSize, threads, signal });
    return error((await model.evaluate(others, { threads, signal })).rootMeanSquaredError);
  },
  {
    strategy: "coarseToFine",
    trials: quick ? 4 : 40,
    rounds: quick ? 2 : 3,
    seed: 1,
    parallel: availableParallelism(), // small networks: one thread each
    log: process.env.HOUSING_LOG, // a file from which a search that was interrupted goes on
    onTrial: ({ index, status, score, seconds }) =>
      console.log(`trial ${index} ${status}: dev RMSE ${written(score)}, ${seconds.toFixed(1)} s`),
  },
);
console.log(`\n${result}\n`);
const { config } = result.best;
console.log(config);

// From here on the fitting and the dev set together are for training, and the test set is looked at for the first and last time.
const all = viewsOf(training, test);
const seeds = quick ? [1, 2] : [1, 2, 3, 4, 5];

/** 13-128-128-1 with ReLU, its weights and biases uniform in ±1/√inputs, as PyTorch's. */
function plain(seed) {
  const { inputShape } = all.plain.known;
  const layer = (inputs, units, activation) => {
    const initializer = uniform({ low: -1 / Math.sqrt(inputs), high: 1 / Math.sqrt(inputs) });
    return dense(units, { activation, weightInitializer: initializer, biasInitializer: initializer });
  };
  const layers = [layer(inputShape[0], 128, "relu"), layer(128, 128, "relu"), layer(128, 1, "linear")];
  return sequential(layers, { inputShape, seed }).compile({ ...compiled, optimizer: adam({ learningRate: 1e-3 }) });
}

/** The prices that a network predicts for the test set when it has been trained on everything else. */
async function prices(model, { known, others, price }, options) {
  await model.fit(known, options);
  return (await model.predict(others.inputs)).data().map(price);
}
const foundPrices = (config, seed) => {
  const view = all[config.inputs];
  return prices(build(config, seed, view.known), view, { epochs, batchSize: config.batchSize });
};

const truth = test.map((row) => Number(row[target]));
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const rmse = (predicted) => Math.sqrt(mean(truth.map((price, i) => (predicted[i] - price) ** 2)));
const together = (each) => truth.map((_, i) => mean(each.map((predicted) => predicted[i])));
const onSeeds = async (predict) => {
  const each = [];
  for (const [i, seed] of seeds.entries()) each.push(await predict(seed, i));
  return each;
};

const defaults = await onSeeds((seed) => prices(plain(seed), all.plain, { epochs: quick ? 1 : 60, batchSize: 128 }));
const found = await onSeeds((seed) => foundPrices(config, seed));
const best = await onSeeds((seed, i) => foundPrices(result.trials[i].config, seed));
const reference = mean(defaults.map(rmse));
const report = (what, value) =>
  console.log(`${what}: test RMSE ${written(value)} (${((100 * (value - reference)) / reference).toFixed(1)} %)`);
const count = seeds.length;
report(`default network, mean of ${count} seeds`, reference);
report(`${count} default networks together`, rmse(together(defaults)));
report(`found network, mean of ${count} seeds`, mean(found.map(rmse)));
report(`${count} found networks together`, rmse(together(found)));
report(`networks of the ${count} best trials together`, rmse(together(best)));

function written(dollars) {
  return Math.round(dollars).toLocaleString("en");
}
