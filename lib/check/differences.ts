// The slopes of a cost by two-sided differences, beside the gradients it claims to have. Runs natively, off the JavaScript thread.
import { dtypeError, formatShape, nonFiniteError, shapeError, SimdnnError } from "../errors.js";
import { liveEntries } from "../planner.js";
import { equal } from "../ops/comparison.js";
import { constant } from "../ops/constant.js";
import { add, addScaled, mul } from "../ops/binary.js";
import { assign } from "../ops/update.js";
import { Program, type RunOptions } from "../program.js";
import { backward, Tape, withTape, type Entry } from "../tape.js";
import { allocate, tensor, zeros, type Tensor } from "../tensor.js";

/** A cost and where it is to be differentiated: float64 parameters that are ours to move. */
export interface Subject {
  readonly cost: () => Tensor;
  readonly parameters: readonly Tensor[];
  /** The gradients to be checked, one per parameter; by default those of the tape. */
  readonly gradients?: (() => readonly Tensor[]) | undefined;
  /** Throws for a recorded pass that cannot be checked. */
  readonly inspect?: (entries: readonly Entry[]) => void;
}

/** What the cost says about one parameter, for each of the chosen components. */
export interface Slopes {
  /** Places in the parameter, row by row. */
  readonly components: Int32Array;
  readonly gradient: Float64Array;
  /** `(J(θ - ε), J(θ + ε))`, in pairs. */
  readonly costs: Float64Array;
}

export interface Differences {
  /** J(θ). */
  readonly cost: number;
  readonly slopes: readonly Slopes[];
}

/**
 * Gradient and differences at the chosen components of each parameter.
 *
 * @throws ShapeError or DTypeError unless the cost is a float64 scalar; StateError when the same parameters do not give the same cost
 */
export async function differences(
  where: string,
  subject: Subject,
  chosen: readonly Int32Array[],
  epsilon: number,
  options: Pick<RunOptions, "threads" | "signal">,
): Promise<Differences> {
  const gradient = await gradientsOf(where, subject, options);
  const count = chosen.reduce((sum, { length }) => sum + length, 0);
  const costs = await costsOf(where, subject, shiftsOf(subject.parameters, chosen, epsilon), options);
  const [cost, again] = [costs[0]!, costs[2 * count + 1]!];
  if (!Number.isFinite(cost)) throw nonFiniteError({ what: `${where}: the cost`, value: cost });
  if (!Object.is(cost, again))
    throw new SimdnnError(
      "StateError",
      `${where}: the cost is ${cost} at one time and ${again} at another for the same parameters; leave out what is random in it`,
      { where },
    );
  let at = 1;
  const slopes = chosen.map((components, p): Slopes => {
    const start = at;
    at += 2 * components.length;
    return {
      components,
      gradient: Float64Array.from(components, (component) => gradient[p]![component]!),
      costs: costs.subarray(start, at),
    };
  });
  return { cost, slopes };
}

async function gradientsOf(
  where: string,
  { cost, parameters, gradients, inspect }: Subject,
  options: Pick<RunOptions, "threads" | "signal">,
): Promise<Float64Array[]> {
  const tape = new Tape();
  const given = withTape(tape, () => {
    const root = checkedCost(where, cost());
    inspect?.(liveEntries(tape.entries, [root]));
    return gradients ? gradients() : backward(root, constant(1, root.dtype), parameters, { add, mul, addScaled });
  });
  if (given.length !== parameters.length)
    throw shapeError(where, `expected ${parameters.length} gradients, one per parameter, but received ${given.length}`);
  const fetches = given.flatMap((gradient, p) => {
    if (!gradient) return []; // no path leads from the cost to the parameter, which claims a slope of 0
    const { shape, label } = parameters[p]!;
    if (gradient.shape.join() !== shape.join() || gradient.dtype !== "float64")
      throw shapeError(where, `the gradient of "${label}" must be float64 ${formatShape(shape)}, as it is itself`, [
        { label: "gradient", shape: gradient.shape, dtype: gradient.dtype },
      ]);
    return [{ p, tensor: gradient, values: allocate(gradient) }];
  });
  if (fetches.length > 0)
    await new Program(tape, fetches.map(({ tensor }) => tensor)).submit(1, { ...options, fetches }); // prettier-ignore
  return parameters.map(
    ({ size }, p) => (fetches.find((fetch) => fetch.p === p)?.values ?? new Float64Array(size)) as Float64Array,
  );
}

/** For each evaluation the component that is moved, counted over all parameters, and how far. */
interface Shifts {
  readonly components: Float64Array;
  readonly shifts: Float64Array;
}

/** θ itself, each chosen component to the left and to the right, and θ again. */
function shiftsOf(parameters: readonly Tensor[], chosen: readonly Int32Array[], epsilon: number): Shifts {
  const count = 2 * chosen.reduce((sum, { length }) => sum + length, 0) + 2;
  const [components, shifts] = [new Float64Array(count), new Float64Array(count)];
  let [step, offset] = [1, 0];
  chosen.forEach((own, p) => {
    for (const component of own)
      for (const shift of [-epsilon, epsilon]) {
        components[step] = offset + component;
        shifts[step++] = shift;
      }
    offset += parameters[p]!.size;
  });
  return { components, shifts };
}

/** The cost at each of the shifted θ: one recorded program, run once for each. */
async function costsOf(
  where: string,
  { cost, parameters }: Subject,
  { components, shifts }: Shifts,
  options: Pick<RunOptions, "threads" | "signal">,
): Promise<Float64Array> {
  const [component, shift] = [zeros({ shape: [], dtype: "float64" }), zeros({ shape: [], dtype: "float64" })];
  const tape = new Tape();
  const root = withTape(tape, () => {
    let offset = 0;
    for (const parameter of parameters) {
      const centre = tensor(parameter.read(), { shape: parameter.shape });
      const places = tensor(Float64Array.from(centre.read(), (_, i) => offset + i), { shape: parameter.shape }); // prettier-ignore
      assign(parameter, add(centre, mul(equal(places, component), shift)));
      offset += parameter.size;
    }
    return checkedCost(where, cost());
  });
  const values = new Float64Array(shifts.length);
  await new Program(tape, [root]).submit(shifts.length, {
    ...options,
    feeds: [{ tensor: component, values: components }, { tensor: shift, values: shifts }], // prettier-ignore
    fetches: [{ tensor: root, values }],
  });
  return values;
}

function checkedCost(where: string, cost: Tensor): Tensor {
  const notes = [{ label: "cost", shape: cost.shape, dtype: cost.dtype, name: cost.name }];
  if (cost.rank !== 0) throw shapeError(where, "the cost must be a scalar; take its mean() or sum() first", notes);
  if (cost.dtype !== "float64") throw dtypeError(where, "the cost must be float64 all the way", notes);
  return cost;
}
