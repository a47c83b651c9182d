// Finds a network for the house prices of California by searching coarse to fine, and compares it with a plain one on districts that neither has
// seen: `node examples/housing.mjs [--quick] [california-housing.csv]`. The file may also be named by the variable CALIFORNIA_HOUSING.
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parse } from "csv-parse/sync";
import { adam, adamw, cosineDecay, dataset, dense, dropout, ensemble, randomStream, sequential, space, tune } from "simdnn"; // prettier-ignore

const quick = process.argv.includes("--quick"); // to see that it works, not how well
const path = process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? process.env.CALIFORNIA_HOUSING;
if (!path || !existsSync(path)) {
  console.error(
    "Give the path of california-housing.csv (20,640 districts of the census of 1990; housing.csv of github.com/ageron/handson-ml2):\n" +
      "node examples/housing.mjs path/to/california-housing.csv",
  );
  process.exit(1);
}

// A fifth of the districts is the test set and another tenth the dev set. With this seed a plain network does on the test set what it usually does.
const districts = randomStream(5).shuffle(parse(readFileSync(path), { columns: true }));
const [testCount, devCount] = [0.2, 0.1].map((share) => Math.round(share * districts.length));
const test = districts.slice(0, testCount);
const dev = districts.slice(testCount, testCount + devCount);
const fitting = districts.slice(testCount + devCount);
const training = [...dev, ...fitting];

const target = "median_house_value";
const category = "ocean_proximity";
const columns = Object.keys(districts[0]).filter((name) => name !== target && name !== category);

/** Learns from `known` districts what turns any district into numbers: medians for what is missing, the categories, means and deviations. */
function preparation(known) {
  const medians = columns.map((name) => median(known.map((row) => row[name]).filter((text) => text !== "").map(Number))); // prettier-ignore
  const categories = [...new Set(known.map((row) => row[category]))].sort();
  const features = (row) => [
    ...columns.map((name, i) => (row[name] === "" ? medians[i] : Number(row[name]))),
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
    /** From the mean squared error of such examples to dollars. */
    dollars: (squared) => targetScale.deviation * Math.sqrt(squared),
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

const compiled = { loss: "meanSquaredError", metrics: ["meanSquaredError"] };
const epochs = quick ? 1 : 60;

/** The network of a configuration. Its learning rate goes to 0 along half a cosine; λ is decoupled weight decay. */
function build({ layers, units, activation, dropoutRate, learningRate, beta, lambda, batchSize }, seed, { size, inputShape }) {
  const hidden = Array.from({ length: layers }, () => [dense(units, { activation }), dropout(dropoutRate)]);
  const rate = cosineDecay({ initial: learningRate, over: epochs * Math.ceil(size / batchSize) });
  const optimizer = adamw({ learningRate: rate, beta1: beta, weightDecay: lambda });
  return sequential([...hidden.flat(), dense(1)], { inputShape, seed }).compile({ ...compiled, optimizer });
} // prettier-ignore

// The search sees the fitting and the dev set.
const seen = preparation(fitting);
const [train, validationData] = [seen.of(fitting), seen.of(dev)];
const result = await tune(
  {
    learningRate: space.log(1e-3, 3e-2),
    beta: space.oneMinus(0.9, 0.999), // Adam's β₁, its momentum
    layers: space.integer(2, 5),
    units: space.logInteger(32, 256),
    activation: space.choice(["relu", "tanh", "swish"]),
    dropoutRate: space.linear(0, 0.2),
    lambda: space.log(1e-4, 1),
    batchSize: space.choice([64, 128, 256, 512]),
  },
  {
    build: (config, { seed }) => build(config, seed, train),
    train,
    validationData,
    fit: ({ batchSize }) => ({ epochs, batchSize }),
  },
  {
    strategy: "coarseToFine",
    trials: quick ? 4 : 40,
    rounds: quick ? 2 : 3,
    seed: 1,
    parallel: availableParallelism(), // small networks: one thread each
    log: process.env.HOUSING_LOG, // a file from which a search that was interrupted goes on
    onTrial: ({ index, status, score, seconds }) =>
      console.log(`trial ${index} ${status}: dev RMSE ${dollars(seen.dollars(score))}, ${seconds.toFixed(1)} s`),
  },
);
console.log(`\n${result}\n`);
const { config } = result.best;
console.log(config);

// From here on the fitting and the dev set together are for training, and the test set is looked at for the first and last time.
const all = preparation(training);
const [whole, unseen] = [all.of(training), all.of(test)];
const seeds = quick ? [1, 2] : [1, 2, 3, 4, 5];
const plain = (seed) =>
  sequential([dense(128, { activation: "relu" }), dense(128, { activation: "relu" }), dense(1)], { inputShape: whole.inputShape, seed }).compile({ ...compiled, optimizer: adam({ learningRate: 1e-3 }) }); // prettier-ignore

async function trained(models, options) {
  for (const [i, model] of models.entries()) await model.fit(whole, options(i));
  return models;
}
async function rmse(model) {
  return all.dollars((await model.evaluate(unseen)).meanSquaredError);
}
async function meanRmse(models) {
  const each = await Promise.all(models.map(rmse));
  return each.reduce((sum, value) => sum + value, 0) / each.length;
}

const plainModels = await trained(seeds.map(plain), () => ({ epochs: quick ? 1 : 60, batchSize: 128 }));
const sameModels = await trained(
  seeds.map((seed) => build(config, seed, whole)),
  () => ({ epochs, batchSize: config.batchSize }),
);
const bestConfigs = result.trials.slice(0, seeds.length).map((trial) => trial.config);
const bestModels = await trained(
  bestConfigs.map((each, i) => build(each, seeds[i], whole)),
  (i) => ({ epochs, batchSize: bestConfigs[i].batchSize }),
);
const reference = await meanRmse(plainModels);
const report = (what, value) =>
  console.log(`${what}: test RMSE ${dollars(value)} (${((100 * (value - reference)) / reference).toFixed(1)} %)`);
const count = seeds.length;
report(`default network, mean of ${count} seeds`, reference);
report(`${count} default networks together`, await rmse(ensemble(plainModels)));
report(`found network, mean of ${count} seeds`, await meanRmse(sameModels));
report(`${count} found networks together`, await rmse(ensemble(sameModels)));
report(`networks of the ${count} best trials together`, await rmse(ensemble(bestModels)));

function dollars(value) {
  return Math.round(value).toLocaleString("en");
}
