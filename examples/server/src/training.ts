// One training: its files, its state, and what it tells whoever listens. Knows nothing of HTTP.
import { EventEmitter } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { adam, checkpoint, dense, normalization, sequential, type Dataset, type Layer, type Model } from "simdnn";
import { Curve } from "./curve.js";
import { messageOf, statusOf } from "./errors.js";
import { forget, loaded } from "./loaded.js";
import type { Examples, TrainingOptions } from "./options.js";
import { writeSaved, type Saved, type State } from "./saved.js";
import { readCsv } from "./csv.js";
import { rowsOf, split, tableOf, type Table } from "./table.js";

/** Aborts a fit so that it goes on after a restart. */
const suspended = new Error("the server is shutting down");

/** Emits "change" when there is another epoch, or another state. */
export class Training extends EventEmitter<{ change: [] }> {
  readonly curve: Curve;
  private readonly controller = new AbortController();
  /** While it is being trained. */
  private model: Model | undefined;

  constructor(
    readonly folder: string,
    readonly saved: Saved,
    private readonly log: (error: unknown) => void,
  ) {
    super();
    this.setMaxListeners(0);
    this.curve = new Curve(join(folder, "curve.f64"), saved.figures);
  }

  get state(): State {
    return this.saved.state;
  }

  get ended(): boolean {
    return this.state !== "queued" && this.state !== "running";
  }

  /** What clients see of it. */
  get view() {
    const { id, state, options, error, classes } = this.saved;
    return { id, state, options, error, classes, epochs: this.curve.count, last: this.curve.last?.figures };
  }

  /** Trains until it is done, cancelled or suspended; never throws. */
  async run(threads: number): Promise<void> {
    try {
      await this.become("running");
      const { epochs, batchSize, seed } = this.options;
      const table = await this.table();
      if (table.classes) this.saved.classes = [...table.classes];
      const [train, dev] = await split(table, seed);
      const model = (this.model = this.build(train, table.classes));
      const { curves } = await model.fit(train, {
        epochs,
        batchSize,
        seed,
        threads,
        validationData: dev,
        signal: this.controller.signal,
        callbacks: [
          checkpoint({
            dir: join(this.folder, "checkpoints"),
            every: Math.max(10, Math.ceil(epochs / 1000)),
            resume: true,
          }),
          { onTrainBegin: (fit) => this.begin(fit.curves), onEpochEnd: (epoch, logs) => this.progress(epoch, logs) },
        ],
      });
      await this.curve.finish(curves, epochs);
      await model.save(join(this.folder, "model.safetensors"));
      await this.become("done");
    } catch (error) {
      if (error === suspended) return;
      if (this.controller.signal.aborted) await this.become("cancelled").catch(() => undefined);
      else {
        if (statusOf(error) >= 500) this.log(error);
        this.saved.error = messageOf(error);
        await this.become("failed").catch(this.log);
      }
    } finally {
      await this.curve.close().catch(this.log);
      this.model = undefined; // thousands of models that are done would fill the memory
    }
  }

  /** Probabilities per class or predicted values; of a training that goes on, by the weights it has reached. */
  async predict(
    inputs: readonly (readonly number[])[],
  ): Promise<{ predictions: unknown[]; classes: Saved["classes"] }> {
    const model = this.model ?? (await loaded(join(this.folder, "model.safetensors")));
    const outputs = await model.predict(inputs);
    const width = outputs.shape[1]!;
    const values = Array.from(outputs.data());
    const rows = inputs.map((_, i) => values.slice(i * width, (i + 1) * width));
    return { predictions: this.saved.classes ? rows : rows.flat(), classes: this.saved.classes };
  }

  get canPredict(): boolean {
    return this.model !== undefined || this.state === "done";
  }

  /** Ends it; one that has not begun ends at once. */
  cancel(): void {
    this.controller.abort(new Error("cancelled"));
    if (this.state !== "queued") return;
    this.saved.state = "cancelled";
    this.emit("change");
  }

  suspend(): void {
    this.controller.abort(suspended);
  }

  /** Its files are going to be removed. */
  forget(): void {
    forget(join(this.folder, "model.safetensors"));
  }

  private async become(state: State): Promise<void> {
    this.saved.state = state;
    this.emit("change");
    await writeSaved(this.folder, this.saved);
  }

  /** Only those run that have some. */
  private get options(): TrainingOptions {
    return this.saved.options!;
  }

  private async begin(curves: readonly string[]): Promise<void> {
    this.saved.figures = [...curves];
    await writeSaved(this.folder, this.saved);
    await this.curve.begin(curves);
  }

  private async progress(epoch: number, logs: Readonly<Record<string, number>>): Promise<void> {
    await this.curve.add(epoch, logs);
    this.emit("change");
  }

  private async table(): Promise<Table> {
    const { target } = this.saved;
    if (target !== undefined) return tableOf(readCsv(join(this.folder, "data.csv"), target), this.options);
    const examples = JSON.parse(await readFile(join(this.folder, "data.json"), "utf8")) as Examples;
    return tableOf(rowsOf(examples), this.options);
  }

  private build(train: Dataset, classes: Table["classes"]): Model {
    const { hidden, seed, learningRate } = this.options;
    const layers: Layer[] = [
      normalization(train.statistics()),
      ...hidden.split(",").map((units) => dense(Number(units), { activation: "relu" })),
      dense(classes?.length ?? 1),
    ];
    return sequential(layers, { inputShape: train.inputs.shape.slice(1), seed }).compile({
      loss: classes ? "softmaxCrossEntropy" : "meanSquaredError",
      optimizer: adam({ learningRate }),
      metrics: classes ? ["accuracy"] : [],
    });
  }
}
