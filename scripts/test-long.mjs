// Runs what npm test tries a few times as often as it takes to trust it: a million hostile files and calls, hundreds of aborts, kills and
// exits, a million captured steps. About an hour. Arguments go to vitest: `npm run test:long -- test/soak/cancellation.test.ts`.
import { exclusively, main, runTool, steps } from "./steps.mjs";

main(() => {
  exclusively(() => {
    for (const name of ["dependencies", "addon", "library"]) steps[name]();
  });
  process.env.SIMDNN_LONG = "1";
  process.env.SIMDNN_FUZZ ??= "10";
  process.env.SIMDNN_KILLS ??= "200";
  const given = process.argv.slice(2);
  return runTool("vitest", "vitest.mjs", [
    "run",
    ...(given.length > 0 ? given : ["test/soak", "test/fuzz", "test/checkpoint-kill.test.ts"]),
  ]);
});
