// Brings a fresh clone to a built state, and does nothing when all is fresh: `node scripts/setup.mjs [bench|nativeTest ...]`.
import { exclusively, main, SetupError, steps } from "./steps.mjs";

const [major, minor] = process.versions.node.split(".").map(Number);

main(() => {
  if (major < 20 || (major === 20 && minor < 17)) {
    throw new SetupError(`Node.js 20.17 or newer is needed, this is ${process.versions.node}`);
  }
  exclusively(() => {
    for (const name of ["dependencies", "addon", "library", ...process.argv.slice(2)]) steps[name]();
  });
});
