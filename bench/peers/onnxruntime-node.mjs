// ONNX Runtime from Node as a peer: `onnxruntime-node.mjs infer`.
import { join } from "node:path";
import ort from "onnxruntime-node";
import { prediction, serve, threads } from "../../build/bench/peers/peer.js";

async function infer(brief) {
  const session = await ort.InferenceSession.create(join(brief.directory, "model.onnx"), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  return prediction(brief, async (images) => {
    const input = new ort.Tensor("float32", images, [brief.images, brief.widths[0]]);
    const { probabilities } = await session.run({ images: input });
    return probabilities.data;
  });
}

await serve(ort.env.versions.node, infer);
