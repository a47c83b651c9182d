// The steps that bring a checkout to a built state, each skipped while the hash of its inputs is the one it was last built
// from. Node's own modules only: it runs before anything is installed. Used by setup.mjs, install.mjs and the test scripts.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = realpathSync(resolve(dirname(fileURLToPath(import.meta.url)), ".."));
const windows = process.platform === "win32";

/** A failure whose message is all the user needs; anything else is a bug in these scripts. */
export class SetupError extends Error {}

/** Runs the body of a script: a SetupError ends it with its message alone. */
export function main(body) {
  try {
    process.exitCode = body() ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`simdnn: ${error.message}`);
    process.exitCode = 1;
  }
}

/** Runs a program of node_modules with this Node and the terminal's own output; returns its exit code. */
export function runTool(packageName, bin, args) {
  const { status } = spawnSync(process.execPath, [join(root, "node_modules", packageName, bin), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  return status ?? 1;
}

// Output matters only when something went wrong or the compiler has something to say.
function run(command, args, { missing, hint, env, shell } = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
    shell,
  });
  if (done.error?.code === "ENOENT") throw new SetupError(missing ?? `${command} is missing`);
  if (done.error) throw done.error;
  const output = done.stdout + done.stderr;
  if (done.status !== 0) {
    process.stderr.write(output);
    throw new SetupError(hint?.(output) ?? `${command} failed; its output is above`);
  }
  if (/\bwarning:/.test(output)) process.stderr.write(output);
}

function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== "node_modules")
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)]))
    .sort();
}

function hashOf(inputs, settings) {
  const hash = createHash("sha256").update(JSON.stringify(settings));
  for (const file of inputs.flatMap((input) => filesBelow(join(root, input)))) {
    const content = readFileSync(file);
    hash.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

// The hash is taken before the work, so that an edit made meanwhile is built the next time.
function step({ stamp, inputs, settings = [], output, title, work }) {
  const stampFile = join(root, stamp);
  const hash = hashOf(inputs, settings);
  const fresh = existsSync(join(root, output)) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === hash;
  if (fresh) return;
  console.log(`simdnn: ${title}`);
  rmSync(stampFile, { force: true });
  work();
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, hash);
}

const toolchainHint =
  "building needs cmake 3.22 or newer and a C++20 compiler (gcc 12, clang 14 or newer)\n" +
  "  Debian, Ubuntu  apt-get install cmake g++\n" +
  "  macOS           xcode-select --install && brew install cmake\n" +
  "  Windows         Visual Studio Build Tools with the C++ CMake and Clang components";

/** Builds one CMake target into `directory` unless its sources are those it was last built from. */
export function nativeStep({ target, output, title, directory = "build", options = [] }) {
  step({
    stamp: `${directory}/.stamps/${target}`,
    inputs: ["CMakeLists.txt", "native", "package-lock.json"],
    settings: [process.platform, process.arch, options],
    output: `${directory}/Release/${output}`,
    title,
    work() {
      const cache = join(root, directory, "CMakeCache.txt");
      const home = `CMAKE_HOME_DIRECTORY:INTERNAL=${root.replaceAll("\\", "/")}\n`;
      const configured = existsSync(cache) && readFileSync(cache, "utf8").replaceAll("\r", "").includes(home);
      // A checkout that was moved or copied brings a cache that names the old place.
      if (!configured) {
        rmSync(cache, { force: true });
        rmSync(join(root, directory, "CMakeFiles"), { recursive: true, force: true });
      }
      const ninja = !configured && spawnSync("ninja", ["--version"]).status === 0;
      const generator = ninja ? ["-G", "Ninja"] : [];
      const compiler = !windows || configured ? [] : ninja ? ["-DCMAKE_CXX_COMPILER=clang-cl"] : ["-T", "ClangCL"];
      const missing = `cmake is missing; ${toolchainHint}`;
      const hint = (text) =>
        /CMAKE_CXX_COMPILER|C\+\+20|CXX20|or higher is required/.test(text)
          ? `no usable C++ toolchain; ${toolchainHint}`
          : undefined;
      run(
        "cmake",
        [
          "-S",
          root,
          "-B",
          join(root, directory),
          ...generator,
          ...compiler,
          `-DNODE_EXECUTABLE=${process.execPath}`,
          ...options,
        ],
        { missing, hint },
      );
      run("cmake", [
        "--build",
        join(root, directory),
        "--config",
        "Release",
        "--target",
        target,
        "--parallel",
        String(availableParallelism()),
      ]);
    },
  });
}

const executable = windows ? "simdnn_test.exe" : "simdnn_test";

function tsc(project) {
  run(
    process.execPath,
    [join(root, "node_modules/typescript/bin/tsc"), "-p", project, "--pretty", String(Boolean(process.stderr.isTTY))],
    {
      hint: () => `${project} does not compile; the compiler's messages are above`,
    },
  );
}

/** What can be built, by name. Each needs those before it that it mentions. */
export const steps = {
  dependencies: () =>
    step({
      stamp: "node_modules/.simdnn-stamp",
      inputs: ["package-lock.json"],
      settings: [process.platform, process.arch],
      output: "node_modules/.package-lock.json",
      title: "installing dependencies",
      work: () =>
        run("npm", ["ci", "--no-audit", "--no-fund"], {
          missing: "npm is missing; it comes with Node.js",
          env: { SIMDNN_SETUP: "1" },
          shell: windows,
        }),
    }),

  addon: () => nativeStep({ target: "simdnn", output: "simdnn.node", title: "building the native addon" }),

  nativeTest: () => nativeStep({ target: "simdnn_test", output: executable, title: "building the native tests" }),

  library: () =>
    step({
      stamp: "build/.stamps/library",
      inputs: ["lib", "tsconfig.json", "tsconfig.build.json", "package-lock.json"],
      output: "dist/index.js",
      title: "compiling the library",
      work() {
        rmSync(join(root, "dist"), { recursive: true, force: true });
        tsc("tsconfig.build.json");
      },
    }),

  bench: () =>
    step({
      stamp: "build/.stamps/bench",
      inputs: ["bench", "lib", "tsconfig.json", "package-lock.json"],
      output: "build/bench/main.js",
      title: "compiling the benchmarks",
      work() {
        rmSync(join(root, "build/bench"), { recursive: true, force: true });
        tsc("bench/tsconfig.json");
      },
    }),
};

/** Builds a target with sanitizers; returns the folder of its build. */
export function sanitizedStep(target, output, title, sanitizers) {
  const folder = `build/sanitize-${sanitizers.join("-")}`;
  nativeStep({
    target,
    output,
    title: `building ${title} with ${sanitizers.join(" and ")} sanitizer`,
    directory: `${folder}/build`, // where node-gyp-build looks below `folder`
    options: [`-DSIMDNN_SANITIZE=${sanitizers.join(";")}`],
  });
  return join(root, folder);
}

/** Builds the native test program, sanitized or not, and returns its path. */
export function nativeTestProgram(sanitizers = []) {
  if (sanitizers.length > 0)
    return join(sanitizedStep("simdnn_test", executable, "the native tests", sanitizers), "build/Release", executable);
  steps.nativeTest();
  return join(root, "build/Release", executable);
}

const sleep = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Runs `work` while no other set-up of this checkout runs. */
export function exclusively(work) {
  const lock = join(root, "build/.setup-lock");
  mkdirSync(dirname(lock), { recursive: true });
  for (let waiting = false; ;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const owner = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : 0;
    if (owner > 0 && !alive(owner)) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!waiting)
      console.log(`simdnn: waiting for another set-up (process ${owner}); if there is none, delete ${lock}`);
    waiting = true;
    sleep(200);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}
