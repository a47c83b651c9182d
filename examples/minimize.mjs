// Only the forward pass is written, and minimize() does the rest: the lowest point of w² - 10w + 25: `node examples/minimize.mjs`.
import { capture, parameter, sgd, tensor } from "simdnn";

const w = parameter(0);
const optimizer = sgd({ learningRate: 0.01 });
const step = capture(() => {
  const cost = w.square().sub(w.mul(10)).add(25);
  optimizer.minimize(cost, [w]);
  return cost;
});
step();
console.log(`after 1 step w = ${w.item().toFixed(4)}`); // -α dJ/dw = 0.01 · 10
for (let i = 1; i < 1000; i++) step();
console.log(`after 1000 steps w = ${w.item().toFixed(4)}`);

// The same with the coefficients as an input, as data would be: other numbers need no new recording.
const v = parameter(0);
const descent = sgd({ learningRate: 0.01 });
const descend = capture((coefficients) => {
  const [a, b, c] = [0, 1, 2].map((i) => coefficients.slice([i], [1]).reshape([]));
  const cost = v.square().mul(a).add(v.mul(b)).add(c);
  descent.minimize(cost, [v]);
  return cost;
});
for (const coefficients of [
  [1, -10, 25],
  [1, -20, 100],
]) {
  const x = tensor(coefficients);
  for (let i = 0; i < 1000; i++) descend(x);
  console.log(`coefficients ${coefficients.join(" ")}: v = ${v.item().toFixed(4)}`);
}
