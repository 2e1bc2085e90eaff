// Validates an AsyncAPI document with the reference parser; prints what it complains of.
const {readFileSync} = require("fs");
const {Parser} = require("@asyncapi/parser");

new Parser().validate(readFileSync(process.argv[2], "utf8")).then((diagnostics) => {
  for (const {severity, path, message} of diagnostics) {
    console.log(severity, path.join("."), message);
  }
  process.exitCode = diagnostics.length ? 1 : 0;
});
