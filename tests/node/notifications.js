'use strict';
// What `benchmarks.bare` does, with npm's SockJS client: receives and parses notifications.
//
//     node notifications.js <endpoint> <transport> <number> <calls>
//
// Prints how many came a second, as JSON.

const openSockJS = require('./sockjs_client');

const [endpoint, transport, number, calls] = process.argv.slice(2);
const sockjs = openSockJS(endpoint, transport);
let count = 0;
let first;

sockjs.onopen = () => {
  const order = { notifications: Number(number), calls: Number(calls), rate: 0 };
  sockjs.send(JSON.stringify({ action: 'send_message', id: 1, message: JSON.stringify(order) }));
};

sockjs.onmessage = ({ data }) => {
  if (JSON.parse(data).notify !== 'call') {
    return;
  }
  count += 1;
  if (count === 1) {
    first = process.hrtime.bigint();
  }
  if (count === Number(number)) {
    const seconds = Number(process.hrtime.bigint() - first) / 1e9;
    process.stdout.write(JSON.stringify({ 'a second': (count - 1) / seconds }) + '\n');
    sockjs.close();
  }
};
