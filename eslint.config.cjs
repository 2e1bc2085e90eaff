/** What would be a bug in the web client's JavaScript; layout is prettier's. */
const globals = require("globals");

module.exports = [
  {
    files: ["**/static/**/*.js"],
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: "module",
      globals: {...globals.browser, owl: "readonly"},
    },
    linterOptions: {reportUnusedDisableDirectives: "error"},
    rules: {
      "array-callback-return": "error",
      eqeqeq: "error",
      "no-alert": "error",
      "no-console": "error",
      "no-const-assign": "error",
      "no-debugger": "error",
      "no-dupe-keys": "error",
      "no-eval": "error",
      "no-redeclare": "error",
      "no-undef": "error",
      "no-unreachable": "error",
      "no-unused-vars": ["error", {argsIgnorePattern: "^_"}],
      "no-useless-catch": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
