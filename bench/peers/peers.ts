// Who is compared with: how each is started and installed. Starts and installs nothing.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { sources, venv, work } from "./places.js";

export interface Peer {
  readonly name: string;
  readonly suites: readonly string[];
  /** The command that runs a suite; its parts may name files that are absent. */
  readonly command: (suite: string) => readonly string[];
  readonly install: { readonly from: "apt" | "pip" | "npm"; readonly packages: readonly string[] };
  /** `pinned`: has no setting of its own for the number of threads, so that it gets so many cores. Default: any number. */
  readonly threads?: "one" | "pinned";
  /** Cases it can do in bearable time; default: all. */
  readonly cases?: readonly string[];
  /** Whether `best of the yardsticks` counts it. */
  readonly yardstick?: boolean;
}

const classifiers = ["tiny", "tiny-bn-do", "small", "mnist", "mnist-bn-do"];

const python =
  (script: string, ...more: string[]) =>
  (suite: string) => [join(venv, "bin/python"), join(sources, script), suite, ...more];
const node =
  (script: string, ...more: string[]) =>
  (suite: string) => [process.execPath, join(sources, script), suite, ...more];
export const gemmProgram = join(work, "gemm");
const blas = (kind: string, library: () => string) => () => [gemmProgram, kind, library()];

/** The first file of a folder of the virtual environment whose name starts so. */
function installed(folder: string, start: string): string {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return join(folder, names.find((name) => name.startsWith(start)) ?? start);
}

const lib = join(venv, "lib");
const apt = (...packages: string[]) => ({ from: "apt" as const, packages });
const pip = (...packages: string[]) => ({ from: "pip" as const, packages });
const npm = { from: "npm" as const, packages: [] };

export const peers: readonly Peer[] = [
  {
    name: "torch-debian",
    suites: ["step", "infer"],
    command: (suite) => ["/usr/bin/python3", join(sources, "torch_peer.py"), suite],
    // Without a BLAS of its own choice, Debian's PyTorch runs on the reference one.
    install: apt("python3-torch", "python3-numpy", "libopenblas0-pthread"),
    yardstick: true,
  },
  { name: "torch", suites: ["step", "infer"], command: python("torch_peer.py"), install: pip("torch", "numpy") },
  {
    name: "torch-compile",
    suites: ["step", "infer"],
    command: python("torch_peer.py", "--compile"),
    install: pip("torch", "numpy"),
  },
  {
    name: "jax",
    suites: ["step", "infer"],
    command: python("jax_peer.py"),
    install: pip("jax[cpu]", "numpy"),
    threads: "pinned",
  },
  {
    name: "tensorflow",
    suites: ["step"],
    command: python("tensorflow_peer.py"),
    install: pip(process.arch === "x64" ? "tensorflow-cpu" : "tensorflow", "numpy"),
    threads: "pinned",
  },
  {
    name: "jax-js",
    suites: ["step"],
    command: node("jax-js.mjs"),
    install: npm,
    threads: "one",
    cases: [...classifiers, "wide-sgd", "wide-bn-do"],
  },
  {
    name: "tfjs-wasm",
    suites: ["step"],
    command: node("tfjs.mjs", "wasm"),
    install: npm,
    threads: "one",
    cases: classifiers,
  },
  {
    name: "tfjs-cpu",
    suites: ["step"],
    command: node("tfjs.mjs", "cpu"),
    install: npm,
    threads: "one",
    cases: classifiers,
  },
  { name: "brain.js", suites: ["step"], command: node("brain.mjs"), install: npm, threads: "one", cases: ["mnist"] },
  {
    name: "openblas",
    suites: ["gemm"],
    command: blas("openblas", () => "libopenblas.so.0"),
    install: apt("libopenblas0-pthread"),
    yardstick: true,
  },
  {
    name: "blis",
    suites: ["gemm"],
    command: blas("blis", () => "libblis.so.4"),
    install: apt("libblis4-pthread"),
    yardstick: true,
  },
  {
    name: "onednn",
    suites: ["gemm"],
    command: blas("onednn", () => "libdnnl.so.2"),
    install: apt("libdnnl2"),
    yardstick: true,
  },
  {
    name: "openblas-pypi",
    suites: ["gemm"],
    command: blas("openblas", () =>
      join(installed(lib, "python3."), "site-packages/scipy_openblas32/lib/libscipy_openblas.so"),
    ),
    install: pip("scipy-openblas32"),
  },
  {
    name: "onednn-pypi",
    suites: ["gemm"],
    command: blas("onednn", () => join(lib, "libdnnl.so.3")),
    install: pip("onednn"),
    threads: "pinned",
  },
  {
    name: "mkl",
    suites: ["gemm"],
    command: blas("mkl", () => installed(lib, "libmkl_rt.so.")),
    install: pip("mkl"),
  },
  {
    name: "onnxruntime",
    suites: ["infer"],
    command: python("onnxruntime_peer.py"),
    install: pip("onnxruntime", "numpy"),
  },
  { name: "onnxruntime-node", suites: ["infer"], command: node("onnxruntime-node.mjs"), install: npm },
];
