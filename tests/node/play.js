'use strict';
// An application of Alice's as a browser runs it: npm's SockJS client, and Keyyo's JSON.
//
//     node play.js <endpoint> <CSI token> <transport> <number to dial>
//
// It opens a session and dials the number. From there on it does what the lines of its stdin
// tell: "answer" and "hang up" the call that it heard of last, or "close". It closes by itself
// with its stdin. Each thing that happens is a line of JSON on stdout.

const readline = require('readline');
const openSockJS = require('./sockjs_client');

const [endpoint, token, transport, number] = process.argv.slice(2);
const sockjs = openSockJS(endpoint, transport);
const actions = new Map();
let call;

function tell(what) {
  process.stdout.write(JSON.stringify(what) + '\n');
}

function ask(action, fields) {
  const id = actions.size + 1;
  actions.set(id, action);
  sockjs.send(JSON.stringify({ action, id, ...fields }));
}

sockjs.onopen = () => {
  tell({ opened: sockjs.transport });
  ask('create_session', { token, protocol_version: 1 });
};

sockjs.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (message.notify === 'call') {
    call = message.call;
    tell({ call });
    return;
  }
  const action = actions.get(message.id);
  tell({ answer: action, error: message.error, result: message.result });
  if (action === 'create_session' && !message.error) {
    ask('call', { number });
  }
};

sockjs.onclose = ({ code, reason, wasClean }) => {
  tell({ closed: [code, reason, wasClean] });
  process.stdin.destroy();
};

const ORDERS = {
  answer: () => ask('answer_call', { call_ref: call.callref }),
  'hang up': () => ask('terminate_call', { call_ref: call.callref }),
  close: () => sockjs.close(),
};

const orders = readline.createInterface({ input: process.stdin });
orders.on('line', (order) => ORDERS[order]());
orders.on('close', () => sockjs.close());
