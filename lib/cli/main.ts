#!/usr/bin/env node
// The `simdnn` command: its name, its help and what becomes of errors. What the commands do is in the files beside this one.
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { isSimdnnError } from "../errors.js";
import { addPredictCommand } from "./predict.js";
import { addTrainCommand } from "./train.js";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

const exitCodes = { failed: 1, usage: 2 };

const program = new Command("simdnn")
  .description("Trains neural networks on the CPU, and labels images with them.")
  .version(version, "-V, --version", "print the version")
  .helpOption("-h, --help", "print this help")
  .helpCommand("help [command]", "print the help of a command")
  .configureOutput({
    // One line, in the words and the form of the library's own messages.
    outputError: (text, write) =>
      write(
        `simdnn: ${text
          .trim()
          .replace(/^error: /, "")
          .replace(/\s*\n\s*/g, " ")}\n`,
      ),
  })
  .exitOverride()
  .addHelpText(
    "after",
    `
Examples:
  simdnn train                          learns built-in digits, needs no file
  simdnn train --data data/mnist --output mnist.safetensors
  simdnn predict mnist.safetensors t10k-images-idx3-ubyte.gz --limit 10
  simdnn train --help                   all options of a command`,
  );
addTrainCommand(program);
addPredictCommand(program);

// Whoever reads the output may stop reading, as head does: the work goes on, so that a trained model is saved all the same.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
  else if (isSimdnnError(error)) {
    process.stderr.write(`simdnn: ${error.message}\n`);
    process.exitCode = exitCodes.failed;
  } else throw error;
}
