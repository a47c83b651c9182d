// jax-js as a peer: `jax-js.mjs step`, the whole step jitted, on WebAssembly.
import { readFileSync } from "node:fs";
import { init, defaultDevice, jit, nn, numpy as np, random, tree, valueAndGrad } from "@jax-js/jax";
import { batches, serve, training, weight } from "../../build/bench/peers/peer.js";

await init("wasm");
defaultDevice("wasm");

// A function owns its arguments and each use consumes: `.ref` marks all uses but the last.

function initial(brief) {
  const { widths, normalized } = brief;
  const parameters = widths.slice(1).map((units, i) => ({
    weight: np.array(weight(brief, i + 1)).reshape([widths[i], units]),
    bias: np.zeros([units]), // batch norm's beta where that follows
    ...(normalized && i < widths.length - 2 && { gamma: np.ones([units]) }),
  }));
  const running = normalized
    ? widths.slice(1, -1).map((units) => ({ mean: np.zeros([units]), variance: np.ones([units]) }))
    : [];
  return { parameters, running };
}

function forward(parameters, running, seed, x) {
  const averages = [];
  for (const [i, { weight, bias, gamma }] of parameters.entries()) {
    x = np.matmul(x, weight);
    if (gamma) {
      const [rows] = x.shape;
      const mean = np.mean(x.ref, 0);
      const centered = x.sub(mean.ref);
      const variance = np.mean(np.square(centered.ref), 0);
      x = centered.mul(np.reciprocal(np.sqrt(variance.ref.add(1e-5)))).mul(gamma);
      averages.push({
        mean: running[i].mean.mul(0.9).add(mean.mul(0.1)),
        variance: running[i].variance.mul(0.9).add(variance.mul((0.1 * rows) / (rows - 1))),
      });
    }
    x = x.add(bias);
    if (i < parameters.length - 1) x = nn.relu(x);
    if (gamma) {
      const key = random.key(seed.ref.mul(parameters.length).add(i).astype(np.uint32));
      x = np.where(random.bernoulli(key, 0.8, x.shape), x.mul(1 / 0.8), 0);
    }
  }
  seed.dispose();
  return [x, averages];
}

function cost(parameters, running, seed, x, y) {
  const [logits, averages] = forward(parameters, running, seed, x);
  const [rows] = logits.shape;
  return [np.sum(nn.logSoftmax(logits).mul(y)).mul(-1 / rows), averages];
}

function adam(parameters, gradients, { m, v }, t) {
  m = tree.map((m, g) => m.mul(0.9).add(g.mul(0.1)), m, tree.ref(gradients));
  v = tree.map((v, g) => v.mul(0.999).add(np.square(g).mul(0.001)), v, gradients);
  const first = np.reciprocal(np.subtract(1, np.exp(t.ref.mul(Math.log(0.9)))));
  const second = np.reciprocal(np.subtract(1, np.exp(t.mul(Math.log(0.999)))));
  parameters = tree.map(
    (p, m, v) =>
      p.sub(
        m
          .mul(first.ref)
          .mul(1e-3)
          .div(np.sqrt(v.mul(second.ref)).add(1e-8)),
      ),
    parameters,
    tree.ref(m),
    tree.ref(v),
  );
  first.dispose();
  second.dispose();
  return [parameters, { m, v }];
}

function momentum(parameters, gradients, { m }, t) {
  t.dispose();
  m = tree.map((m, g) => m.mul(0.9).add(g), m, gradients);
  return [tree.map((p, m) => p.sub(m.mul(0.01)), parameters, tree.ref(m)), { m }];
}

async function step(brief) {
  const { widths, batch } = brief;
  const update = brief.optimizer === "adam" ? adam : momentum;
  const { inputs, labels } = batches(brief);
  const x = inputs.map((values) => np.array(values).reshape([batch, widths[0]]));
  const y = labels.map((values) => nn.oneHot(np.array(values), widths.at(-1)));

  const one = jit(({ parameters, running, moments, t, total }, x, y) => {
    const next = t.add(1);
    const [[loss, averages], gradients] = valueAndGrad(cost, { hasAux: true })(
      tree.ref(parameters),
      running,
      next.ref,
      x,
      y,
    );
    const [updated, changed] = update(parameters, gradients, moments, next.ref);
    return { parameters: updated, running: averages, moments: changed, t: next, total: total.add(loss) };
  });

  const begin = initial(brief);
  const zeros = () => tree.map((p) => np.zerosLike(p), tree.ref(begin.parameters));
  let state = {
    ...begin,
    moments: brief.optimizer === "adam" ? { m: zeros(), v: zeros() } : { m: zeros() },
    t: np.array(0),
    total: np.array(0),
  };
  return training(brief, async (first, count) => {
    state.total.dispose();
    state.total = np.array(0);
    for (let i = first; i < first + count; i++) state = one(state, x[i].ref, y[i].ref);
    const [total] = await state.total.ref.data();
    return total;
  });
}

const manifest = new URL("node_modules/@jax-js/jax/package.json", import.meta.url);
await serve(JSON.parse(readFileSync(manifest, "utf8")).version, step);
