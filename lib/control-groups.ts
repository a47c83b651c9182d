// The control groups by which Linux, and so containers, limit what a process may use. What the limits mean is their readers' business.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The text of a file; undefined where there is none. */
export type TextOf = (name: string) => string | undefined;

/** The files below `root`, which stands for the file system. */
export function filesBelow(...root: string[]): TextOf {
  return (name) => {
    try {
      return readFileSync(join(...root, name), "utf8").trim();
    } catch {
      return undefined; // not Linux, or no such controller
    }
  };
}

/**
 * The groups that `controller` has the process in, from its own up to the top: a limit further up binds, too.
 *
 * @param root - where the file system begins; for tests
 */
export function* controlGroups(controller: string, root = "/"): Generator<TextOf> {
  for (const line of filesBelow(root)("proc/self/cgroup")?.split("\n") ?? []) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    // Version 2 has one folder for all, version 1 one for those that belong together, and links to it.
    const own = controllers.split(",").includes(controller);
    const folders = controllers === "" ? [""] : own ? [...new Set([controller, controllers])] : [];
    // In a container the group's own path may not be there: its limits are at the top then.
    const parts = group.split("/").filter(Boolean);
    for (let depth = parts.length; depth >= 0; depth--)
      for (const folder of folders) yield filesBelow(root, "sys/fs/cgroup", folder, ...parts.slice(0, depth));
  }
}
