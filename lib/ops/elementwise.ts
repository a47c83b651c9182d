// Arithmetic, comparisons and functions that go element by element: one door to their files.
export * from "./binary.js";
export * from "./comparison.js";
export * from "./unary.js";
