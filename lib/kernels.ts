// simdnn/kernels: the native kernels on plain typed arrays, on the caller's thread. Re-exports only; each group has a file in kernels/.
export { isSimdnnError, SimdnnError, type ErrorCode, type ErrorDetails, type OperandNote } from "./errors.js";
export { type FloatArray, type ThreadOptions } from "./kernels/call.js";
export * from "./kernels/elementwise.js";
export * from "./kernels/matrix.js";
export * from "./kernels/network.js";
export * from "./kernels/update.js";
export { type Activation } from "./ops/activation.js";
export { setThreads } from "./threads.js";
