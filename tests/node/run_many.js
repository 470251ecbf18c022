'use strict';
// Runs many programs, each in a context of its own.
//
//     node run_many.js
//
// Each line of stdin is a program as JSON; for each, a line of stdout is the list of what it has
// printed, as JSON. A zero that is negative is printed without its sign.

const readline = require('readline');
const util = require('util');
const vm = require('vm');

function plain(value) {
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  return Object.is(value, -0) ? 0 : value;
}

function run(code) {
  const said = [];
  const log = (...values) => {
    said.push(util.formatWithOptions({ breakLength: Infinity, compact: true }, '%s',
      values.map((value) => (typeof value === 'string' ? value : util.inspect(plain(value), {
        breakLength: Infinity, compact: true, maxArrayLength: null,
      }))).join(' ')));
  };
  try {
    vm.runInNewContext(code, { console: { log } }, { timeout: 2000 });
  } catch (error) {
    said.push(`raised ${error.name}`);
  }
  return said;
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(`${JSON.stringify(run(JSON.parse(line)))}\n`);
});
