'use strict';
// npm's SockJS server at /echo on a free port of loopback.
//
//     node echo_server.js '{"heartbeat_delay": 50, "response_limit": 4096, "websocket": false}'
//
// The argument holds options of sockjs.createServer, and three more: keep_alive, milliseconds that
// an idle connection is kept; upgrade, false to cut off who asks for a websocket; and go_away, true
// to close each session as soon as it is open.
//
// The first line of stdout is the port. A line follows for each of these:
//
//     asked <address>     a request, with the last part of its address, once it is dealt with
//     opened <transport>  a session begins
//     closed N            a session ends, to which N messages came
//     idle <address>      a TCP connection is given up for idleness, on which that was asked last
//
// It ends with its stdin.
//
// A message is echoed, but for these:
//
//     close            closes the session, with a code and a reason that is not ASCII
//     burst N          N messages, 0 to N - 1, in several turns of the event loop
//     farewell N       N messages in one turn, and the session is closed in the same
//     heartbeats N     tells when so many more heartbeats are sent, and answered on a websocket
//     requests         tells how often each address was asked for, as JSON

const http = require('http');
const sockjs = require('sockjs');
const WebSocket = require('faye-websocket');
const { ResponseReceiver } = require('sockjs/lib/transport');

const CLOSE_CODE = 3001;
const CLOSE_REASON = 'À bientôt, 再见 ☎';
const BURST_AT_ONCE = 100;

const { keep_alive, upgrade, go_away, ...options } = JSON.parse(process.argv[2] || '{}');

const requests = {};
const last = new WeakMap();
let beats = 0;
let waiting = [];

function say(line) {
  process.stdout.write(line + '\n');
}

function beat() {
  beats += 1;
  const due = waiting.filter(({ at }) => at <= beats);
  waiting = waiting.filter(({ at }) => at > beats);
  for (const { tell } of due) {
    // Not in the middle of a heartbeat, which may end the answer that it is written to.
    setImmediate(tell);
  }
}

// Over HTTP a heartbeat is a frame, and on a websocket a ping.
const { heartbeat } = ResponseReceiver.prototype;
ResponseReceiver.prototype.heartbeat = function () {
  const sent = heartbeat.call(this);
  beat();
  return sent;
};
const { ping } = WebSocket.prototype;
WebSocket.prototype.ping = function (message, answered) {
  return ping.call(this, message, () => {
    answered();
    beat();
  });
};

function burst(connection, from, to) {
  const end = Math.min(from + BURST_AT_ONCE, to);
  for (let number = from; number < end; number += 1) {
    connection.write(String(number));
  }
  if (end < to) {
    setImmediate(burst, connection, end, to);
  }
}

const COMMANDS = {
  close(connection) {
    connection.close(CLOSE_CODE, CLOSE_REASON);
  },
  burst(connection, count) {
    burst(connection, 0, count);
  },
  farewell(connection, count) {
    for (let number = 0; number < count; number += 1) {
      connection.write(String(number));
    }
    connection.close(CLOSE_CODE, CLOSE_REASON);
  },
  heartbeats(connection, count) {
    waiting.push({ at: beats + count, tell: () => connection.write(`heartbeats ${count}`) });
  },
  requests(connection) {
    connection.write(JSON.stringify(requests));
  },
};

const echo = sockjs.createServer({ ...options, prefix: '/echo', log() {} });
echo.on('connection', (connection) => {
  let came = 0;
  say(`opened ${connection.protocol}`);
  connection.on('data', (message) => {
    came += 1;
    const [, name, count] = /^([a-z]+)(?: (\d+))?$/.exec(message) || [];
    if (Object.hasOwn(COMMANDS, name)) {
      COMMANDS[name](connection, Number(count));
    } else {
      connection.write(message);
    }
  });
  connection.on('close', () => say(`closed ${came}`));
  if (go_away) {
    connection.close(3000, 'Go away!');
  }
});

const server = http.createServer();
echo.installHandlers(server);
if (upgrade === false) {
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request, socket) => socket.destroy());
}
for (const event of ['request', 'upgrade']) {
  server.on(event, (request) => {
    const name = new URL(request.url, 'http://localhost').pathname.split('/').pop();
    requests[name] = (requests[name] || 0) + 1;
    last.set(request.socket, name);
    say(`asked ${name}`);
  });
}
if (keep_alive !== undefined) {
  server.keepAliveTimeout = keep_alive;
  server.on('connection', (socket) => {
    // Told when the socket is closed, so that whoever reads of it finds it so.
    socket.on('timeout', () => socket.on('close', () => say(`idle ${last.get(socket)}`)));
  });
}
server.listen(0, '127.0.0.1', () => say(String(server.address().port)));

process.stdin.on('end', () => process.exit());
process.stdin.resume();
