// npm's install script: keeps a prebuilt addon that loads on this machine, otherwise builds one with cmake.
import { spawnSync } from "node:child_process";
import { exclusively, main, root, steps } from "./steps.mjs";

// In a child process, since a binary for another machine may crash instead of failing.
const loads = () => spawnSync(process.execPath, ["-e", "require('./binding.cjs')"], { cwd: root }).status === 0;

// setup.mjs installs the dependencies and builds the addon as its own next step.
if (!process.env.SIMDNN_SETUP) {
  main(() => {
    if (!loads()) exclusively(steps.addon);
  });
}
