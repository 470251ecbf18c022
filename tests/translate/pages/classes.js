'use strict';
/**
 * A supervisor's view, class by class: lines, calls and their statistics.
 */

const SETTINGS = Object.freeze({ name: 'supervisor', expires: 2, slowAfter: 20 });
const TEAM = new Map([
  ['33199000001', 'Alice'],
  ['33199020000', 'Bob'],
]);
const TOKEN = '<CSI token>';

class Log {
  static levels = ['info', 'warning', 'error'];

  constructor(name, keep = 3) {
    this.name = name;
    this.keep = keep;
    this.lines = [];
  }

  write(level, ...parts) {
    if (!Log.levels.includes(level)) {
      throw new TypeError(`no level ${level}`);
    }
    const line = `[${level}] ${this.name}: ${parts.join(' ')}`;
    this.lines.push(line);
    if (this.lines.length > this.keep) {
      this.lines.shift();
    }
    console.log(line);
    return this;
  }

  info(...parts) { return this.write('info', ...parts); }

  get last() {
    return this.lines[this.lines.length - 1] ?? '';
  }
}

class Statistics {
  #durations = [];
  missed = 0;

  add(seconds) {
    this.#durations.push(seconds);
  }

  get count() { return this.#durations.length; }

  get total() {
    return this.#durations.reduce((sum, each) => sum + each, 0);
  }

  get average() {
    return this.count > 0 ? this.total / this.count : 0;
  }

  get longest() {
    return Math.max(0, ...this.#durations);
  }

  toString() {
    return `${this.count} calls, ${this.total} s, ${this.average.toFixed(2)} s each, ${this.missed} missed`;
  }
}

class Entry {
  constructor({ callref, caller, callee }) {
    this.callref = callref;
    this.caller = caller;
    this.callee = callee;
    this.states = [];
  }

  // True if the state is new.
  enter(state) {
    if (this.states[this.states.length - 1] === state) {
      return false;
    }
    this.states.push(state);
    return true;
  }

  describe() {
    const name = (number) => TEAM.get(number) || number;
    return `${name(this.caller)} -> ${name(this.callee)} (${this.states.join(' > ')})`;
  }
}

class Base {
  constructor(options) {
    this.log = new Log(options.name);
    this.started = false;
  }

  start() {
    this.started = true;
    this.log.info('started');
  }
}

class Supervisor extends Base {
  constructor(options = {}) {
    super({ name: 'main', ...options });
    const { name: cookieName, expires } = SETTINGS;
    this.cti = new Keyyo.CTI({ cookie_name: cookieName, cookie_expires: expires });
    this.entries = new Map();
    this.statistics = new Statistics();
    this.number = null;
    this.cti.onNewCall = (call) => this.onCall(call);
    this.cti.onDisconnected = this.lost.bind(this);
  }

  start() {
    super.start();
    const retry = this.cti.session_exists();
    const callback = (err, res) => {
      if (err) {
        const { status_code: code, message } = err;
        this.log.write('error', code, message);
        return;
      }
      this.number = res.number;
      this.log.info('line', TEAM.get(res.number) ?? res.number);
      this.cti.get_subscriptions((error, { numbers } = {}) => {
        if (!error) { this.log.info('hears', numbers.join(', ')); }
      });
    };
    if (retry) {
      this.cti.restore_session(TOKEN, callback);
    } else {
      this.cti.create_session(TOKEN, callback);
    }
    return this;
  }

  lost() {
    this.started = false;
    this.log.write('warning', 'connection lost');
  }

  entryOf(call) {
    let entry = this.entries.get(call.callref);
    if (!entry) {
      entry = new Entry({ callref: call.callref, caller: call.caller, callee: call.callee });
      this.entries.set(call.callref, entry);
    }
    return entry;
  }

  onCall(call) {
    const entry = this.entryOf(call);
    if (entry.enter(call.state)) {
      this.log.info(entry.describe());
    }
    call.onRelease = () => {
      this.statistics.add(call.get_duration());
      this.report();
    };
    call.onMissed = () => {
      this.statistics.missed++;
      this.report();
    };
  }

  report() {
    console.log(`${this.statistics}`);
    const open = [...this.entries.values()].filter(({ states }) => !states.includes('RELEASE'));
    console.log('open', open.length, 'of', this.entries.size);
    for (const [ref, { states }] of this.entries) {
      if (states.length > 5) {
        console.log('strange', ref);
      }
    }
  }

  slow() {
    return this.cti.get_calls()
      .filter((call) => call.state === 'SETUP' && call.get_ringing_duration() > SETTINGS.slowAfter)
      .map((call) => call.caller)
      .sort();
  }
}

const supervisor = new Supervisor();
try {
  supervisor.log.write('debug', 'never');
} catch (e) {
  console.log(e instanceof TypeError, e.message);
}
supervisor.start();
console.log(supervisor.log.last, supervisor.slow().length, supervisor.statistics.longest);
