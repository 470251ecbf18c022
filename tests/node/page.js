'use strict';
// A page without a window: runs JavaScript on stand_in.js, with npm's SockJS client.
//
//     node page.js
//
// Each line of stdin is JSON with one order:
//
//     {"open": {"endpoint": URL, "cookies": {}, "now": SECONDS, "names": {}}}   a new page
//     {"run": CODE}   runs it there; it may use await
//     {"leave": true} leaves the page: its connections and timers end
//
// and so is each line of stdout:
//
//     {"said": TEXT}     console.log or console.error
//     {"raised": TEXT}   an exception that nothing caught
//     {"done": ORDER}    the order is done
//
// It ends with its stdin.

const fs = require('fs');
const path = require('path');
const readline = require('readline');
const util = require('util');
const vm = require('vm');
const openSockJS = require('./sockjs_client');

const STAND_IN = fs.readFileSync(path.join(__dirname, 'stand_in.js'), 'utf8');

let page = null;

function tell(what) {
  process.stdout.write(JSON.stringify(what) + '\n');
}

class Page {
  constructor({ endpoint, cookies = {}, now, names = {} }) {
    this.cookies = new Map(Object.entries(cookies));
    this.sockets = [];
    this.timers = [];
    const log = (...what) => this === page && tell({ said: util.format(...what) });
    const timer = (set) => (...given) => {
      const made = set(...given);
      this.timers.push(made);
      return made;
    };
    this.window = vm.createContext({
      ...names,
      KEYYO_ENDPOINT: endpoint,
      SockJS: this.sockjs(),
      clearInterval,
      clearTimeout,
      console: { log, error: log },
      document: this.document(),
      setInterval: timer(setInterval),
      setTimeout: timer(setTimeout),
    });
    this.window.window = this.window;
    if (now !== undefined) {
      vm.runInContext(`Date.now = () => ${now * 1000}`, this.window);
    }
    vm.runInContext(STAND_IN, this.window);
  }

  sockjs() {
    const { sockets } = this;
    return function Opened(url) {
      const socket = openSockJS(url, 'websocket');
      sockets.push(socket);
      return socket;
    };
  }

  document() {
    const { cookies } = this;
    // The clock of the page, which may stand still.
    const now = () => vm.runInContext('Date.now()', this.window);
    return {
      get cookie() {
        return [...cookies].map((pair) => pair.join('=')).join('; ');
      },
      set cookie(text) {
        const [pair, ...rest] = text.split(';').map((part) => part.trim());
        const [name, value] = pair.split('=');
        const expires = rest.find((part) => part.startsWith('expires='));
        if (expires && Date.parse(expires.slice('expires='.length)) < now()) {
          cookies.delete(name);
        } else {
          cookies.set(name, value);
        }
      },
    };
  }

  async run(code) {
    await vm.runInContext(`(async () => {${code}\n})()`, this.window);
  }

  raised(error) {
    const { onerror } = this.window.window;
    if (onerror) {
      onerror(error.message);
    } else {
      tell({ raised: String(error) });
    }
  }

  leave() {
    this.timers.forEach((made) => clearTimeout(made));
    this.sockets.forEach((socket) => socket.close());
  }
}

function raised(error) {
  if (page) {
    page.raised(error);
  }
}

process.on('uncaughtException', raised);
process.on('unhandledRejection', raised);

const ORDERS = {
  open(settings) {
    page = new Page(settings);
  },
  run: (code) => page.run(code).catch(raised),
  leave() {
    const left = page;
    page = null;
    if (left) {
      left.leave();
    }
  },
};

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const [[order, argument]] = Object.entries(JSON.parse(line));
  await ORDERS[order](argument);
  tell({ done: order });
}).on('close', () => process.exit());
