// One question a line, one answer a line: how a test talks with a client in a process of its own.
"use strict";
const readline = require("node:readline");

module.exports = function dialogue(verbs) {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    const { verb, given } = JSON.parse(line);
    let said;
    try {
      said = { gave: await verbs[verb](given) };
    } catch (error) {
      said = { raised: { name: error.name, code: error.code ?? null, message: error.message } };
    }
    process.stdout.write(`${JSON.stringify(said)}\n`);
  });
};
