// What an editor says of zaps, by the schemas in schemas/: problems, completion and hover text, from
// yaml-language-server itself, which VS Code, Neovim, Helix and others run. JetBrains reads the same schemas.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { COMPLETIONS, HOVERS, UNSEEN } from "./expectations.mjs";
import { Server } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const schema = (name) => pathToFileURL(join(root, "schemas", `${name}.schema.json`)).href;
// The codes of what a schema can see.
const STRUCTURE = /ZR02(0[1-68])/;

const failures = [];
const fail = (text) => failures.push(text);

function files(below, wanted) {
  const all = [];
  for (const name of readdirSync(below).sort()) {
    const path = join(below, name);
    if (statSync(path).isDirectory()) all.push(...files(path, wanted));
    else if (wanted(path)) all.push(path);
  }
  return all;
}

/** The lines on which a case of the corpus expects a finding that a schema can see. */
function expected(text) {
  const lines = [];
  let above = 0;
  text.split("\n").forEach((line, at) => {
    if (/^\s*#\s*\^/.test(line)) {
      if (STRUCTURE.test(line)) lines.push(above);
      return;
    }
    above = at;
    const comment = /# (.*)$/.exec(line)?.[1] ?? "";
    if (/^(error |warning )?ZR/.test(comment) && STRUCTURE.test(comment)) lines.push(at);
  });
  return lines;
}

/** A text in which `|` stands for the cursor. */
function cursor(marked) {
  const offset = marked.indexOf("|");
  const before = marked.slice(0, offset).split("\n");
  const position = { line: before.length - 1, character: before.at(-1).length };
  return { text: marked.slice(0, offset) + marked.slice(offset + 1), position };
}

const server = await Server.start(pathToFileURL(root).href, {
  validate: true,
  hover: true,
  completion: true,
  // Nothing is fetched: the schemas are those of the project.
  schemaStore: { enable: false },
  schemas: {
    [schema("zap")]: ["**/tests/zaps/*/*/*.yaml", "**/editor-zap-*.yaml"],
    [schema("project")]: ["**/zaprun.yaml", "**/editor-project-*.yaml"],
    [schema("overlay")]: ["**/zaprun.*.yaml"],
    [schema("test")]: ["**/*.test.yaml", "**/editor-test-*.yaml"],
  },
});

try {
  const yaml = (path) => path.endsWith(".yaml");
  const valid = join(root, "tests/zaps/valid");
  const good = [
    join(root, "zaprun.yaml"),
    join(root, "tests/zaps/zaprun.yaml"),
    ...files(join(root, "zaps"), yaml),
    ...files(valid, (path) => yaml(path) && (!path.includes("/projects/") || /zaprun(\.\w+)?\.yaml$|\.test\.yaml$/.test(path))),
  ];
  // All at once: the server waits a moment after each change before it looks.
  await Promise.all(
    good.map(async (path) => {
      for (const problem of await server.problems(pathToFileURL(path).href, readFileSync(path, "utf8"))) {
        fail(`${relative(root, path)}:${problem.range.start.line + 1}: a good file has a problem: ${problem.message}`);
      }
    }),
  );

  let seen = 0;
  const unseen = new Set(UNSEEN);
  const bad = async (path) => {
    const text = readFileSync(path, "utf8");
    const lines = expected(text);
    if (lines.length === 0) return;
    const name = relative(join(root, "tests/zaps/invalid"), path);
    const problems = await server.problems(pathToFileURL(path).href, text);
    const missed = lines.filter((line) => !problems.some(({ range }) => range.start.line <= line && line <= range.end.line));
    if (unseen.delete(name)) {
      if (missed.length === 0) fail(`${name}: the editor sees it now; take it off the list`);
    } else if (missed.length > 0) {
      fail(`${name}: the editor shows nothing on line ${missed[0] + 1}: ${JSON.stringify(problems.map((p) => p.message))}`);
    }
    seen += 1;
  };
  await Promise.all(files(join(root, "tests/zaps/invalid/structure"), yaml).map(bad));
  for (const name of unseen) fail(`${name} is on the list of what an editor cannot see, and is not there`);
  if (seen < 20) fail(`only ${seen} bad files were looked at`);

  let asked = 0;
  const uriOf = (file) => pathToFileURL(join(root, `editor-${file}-${(asked += 1)}.yaml`)).href;
  for (const { name, file = "zap", text: marked, offers, not = [] } of COMPLETIONS) {
    const { text, position } = cursor(marked);
    const uri = uriOf(file);
    const labels = (await server.completion(uri, text, position)).map((item) => item.label);
    for (const word of offers) if (!labels.includes(word)) fail(`completion, ${name}: \`${word}\` is not offered: ${labels.join(", ")}`);
    for (const word of not) if (labels.includes(word)) fail(`completion, ${name}: \`${word}\` is offered and has no place there`);
  }

  for (const { name, file = "zap", text: marked, says } of HOVERS) {
    const { text, position } = cursor(marked);
    const uri = uriOf(file);
    const shown = await server.hover(uri, text, position);
    if (!shown.includes(says)) fail(`hover, ${name}: \`${says}\` is not in \`${shown}\``);
  }

  if (failures.length === 0) {
    console.log(`${good.length} good files, ${seen} bad ones, ${COMPLETIONS.length} completions, ${HOVERS.length} hovers`);
  }
} finally {
  server.stop();
}
for (const failure of failures) console.error(failure);
process.exitCode = failures.length > 0 ? 1 : 0;
