// Every op as a function: what models, losses and optimizers are written with. Importing it registers all records.
export * from "./activation.js";
export * from "./cast.js";
export type { Operand } from "./constant.js";
export * from "./cross-entropy.js";
export * from "./dense.js";
export * from "./dropout.js";
export * from "./elementwise.js";
export * from "./gather.js";
export * from "./gradient.js";
export * from "./guard.js";
export * from "./matmul.js";
export * from "./move.js";
export * from "./norm.js";
export * from "./random.js";
export * from "./reduce.js";
export * from "./softmax.js";
export * from "./update.js";
export * from "./view.js";
