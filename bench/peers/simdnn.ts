// simdnn as one contender among its peers: `simdnn.js gemm|step|infer`.
import * as gemm from "../gemm.js";
import * as infer from "../infer.js";
import * as step from "../step.js";
import type { Prepared } from "../suite.js";
import { serve, suite, threads } from "./peer.js";

const own = <Case>({ prepare }: { prepare: (one: Case, threads: number) => Promise<Prepared> }) =>
  serve("", (one: Case) => prepare(one, threads));

if (suite === "gemm") await own(gemm);
else if (suite === "step") await own(step);
else await own(infer);
