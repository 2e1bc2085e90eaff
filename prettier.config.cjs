/** Found through NODE_PATH: node's packages are in the state folder, not in the tree. */
module.exports = {
  bracketSpacing: false,
  printWidth: 88,
  proseWrap: "always",
  semi: true,
  trailingComma: "es5",
  xmlWhitespaceSensitivity: "preserve",
  plugins: [require.resolve("@prettier/plugin-xml")],
};
