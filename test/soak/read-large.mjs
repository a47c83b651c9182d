// Reads a file with the built library and prints what came of it as JSON: a process of its own, whose peak tells what reading takes.
import process from "node:process";
import { statSync } from "node:fs";
import { isSimdnnError, loadModel } from "../../dist/index.js";

const file = process.argv[2];
const peak = () => process.resourceUsage().maxRSS * 1024;
const before = peak();
let code = "read";
try {
  await loadModel(file);
} catch (error) {
  if (!isSimdnnError(error)) throw error;
  code = error.code;
}
console.log(JSON.stringify({ code, size: statSync(file).size, grown: peak() - before }));
