// The set-up steps in a small project of their own, in a folder with spaces: what they build, when they do not, what they say.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const scripts = resolve(import.meta.dirname, "../../scripts");
const build = "import { exclusively, main, steps } from './scripts/steps.mjs'; main(() => exclusively(steps.addon));";
const args = ["--input-type=module", "-e", build];
const announcement = "simdnn: building the native addon\n";

let folder: string;
let project: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "simdnn set-up "));
  project = join(folder, "a project");
  mkdirSync(join(project, "native"), { recursive: true });
  cpSync(scripts, join(project, "scripts"), { recursive: true });
  writeFileSync(join(project, "native/kernel.cc"), "one");
  // It needs no compiler, and takes long enough for two set-ups to meet.
  writeFileSync(
    join(project, "CMakeLists.txt"),
    `cmake_minimum_required(VERSION 3.22)
     project(trial NONE)
     add_custom_target(simdnn COMMAND \${CMAKE_COMMAND} -E sleep 0.5
                              COMMAND \${CMAKE_COMMAND} -E make_directory \${CMAKE_BINARY_DIR}/Release
                              COMMAND \${CMAKE_COMMAND} -E touch \${CMAKE_BINARY_DIR}/Release/simdnn.node)`,
  );
});

afterEach(() => rmSync(folder, { recursive: true }));

function setUp(env: NodeJS.ProcessEnv = process.env) {
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: project, encoding: "utf8", env });
  return { stdout, stderr, status };
}

it("builds once, and again only after a source changed or the output is gone", () => {
  expect(setUp()).toEqual({ stdout: announcement, stderr: "", status: 0 });
  expect(existsSync(join(project, "build/Release/simdnn.node"))).toBe(true);
  expect(setUp().stdout).toBe("");
  writeFileSync(join(project, "native/kernel.cc"), "two");
  expect(setUp().stdout).toBe(announcement);
  expect(setUp().stdout).toBe("");
  rmSync(join(project, "build/Release/simdnn.node"));
  expect(setUp().stdout).toBe(announcement);
});

it("builds a project that was moved after it was built", () => {
  setUp();
  const moved = join(folder, "elsewhere");
  renameSync(project, moved);
  project = moved;
  expect(setUp()).toEqual({ stdout: announcement, stderr: "", status: 0 });
});

it("does not take a failed build for a finished one", () => {
  writeFileSync(join(project, "CMakeLists.txt"), "cmake_minimum_required(VERSION 3.22)\nproject(trial NONE)\n");
  const failures = [setUp(), setUp()];
  expect(failures.map(({ stdout, status }) => ({ stdout, status }))).toEqual([
    { stdout: announcement, status: 1 },
    { stdout: announcement, status: 1 },
  ]);
  expect(failures[0]?.stderr).toMatch(/simdnn: cmake failed; its output is above\n$/);
});

it("names the remedy where cmake is missing", () => {
  const { stderr, status } = setUp({ ...process.env, PATH: folder });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^simdnn: cmake is missing; building needs cmake 3\.22 or newer and a C\+\+20 compiler/);
  expect(stderr).toContain("apt-get install cmake g++");
});

it("names the remedy where there is no C++ compiler, and goes on once there is one", () => {
  const lists = readFileSync(join(project, "CMakeLists.txt"), "utf8");
  writeFileSync(join(project, "CMakeLists.txt"), lists.replace("NONE", "CXX"));
  const { stderr, status } = setUp({ ...process.env, CXX: "no-such-compiler" });
  expect(status).toBe(1);
  expect(stderr).toContain("simdnn: no usable C++ toolchain; building needs cmake");
  expect(setUp()).toEqual({ stdout: announcement, stderr: "", status: 0 });
});

it("lets one of two set-ups at once do the work", async () => {
  const outputs = await Promise.all(
    [1, 2].map(async () => {
      const child = spawn(process.execPath, args, { cwd: project, stdio: ["ignore", "pipe", "inherit"] });
      let text = "";
      for await (const chunk of child.stdout) text += String(chunk);
      return text;
    }),
  );
  expect(outputs.filter((text) => text.includes(announcement))).toHaveLength(1);
});

it("takes over the lock of a set-up that was killed", () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  mkdirSync(join(project, "build"));
  writeFileSync(join(project, "build/.setup-lock"), String(pid));
  expect(setUp()).toEqual({ stdout: announcement, stderr: "", status: 0 });
  expect(existsSync(join(project, "build/.setup-lock"))).toBe(false);
});
