'use strict';
// Stands in for Keyyo's JavaScript SDK 1.1, of which the tests have no copy. It does what the
// recordings of tests/golden show, with the surprises that samples/PORTING.md lists. It needs a
// global SockJS and document.cookie; KEYYO_ENDPOINT, the default endpoint, comes from the test.

(() => {
  const ERROR_CODES = [
    [/^Malformed request \(missing required parameters\)$/, 'missing_parameter'],
    [/^Invalid token/, 'invalid_csi_token'],
    [/^RPC invalid params$/, 'invalid_params'],
    [/^Unknown session_id$/, 'invalid_session_id'],
  ];
  const CLOSED = { status_code: 400, message: 'Connexion closed' };
  const PING_INTERVAL = 300_000;
  const DAY = 86_400_000;

  // All CTIs of a page share these: the connection, its pending callbacks, the use of cookies.
  const shared = { connected: false, session_id: null };
  const pending = new Map();
  let socket = null;
  let cookiesOn = true;
  let lastId = 0;
  let pings = null;

  class Emitter {
    on(names, handler) {
      for (const name of names.split(',')) {
        this.addEventListener(name.trim(), handler);
      }
    }

    addEventListener(name, handler) {
      const { handlers } = this;
      handlers.set(name, [...(handlers.get(name) || []), handler]);
    }

    removeEventListener() {}

    emit(name, ...values) {
      // Looked up at each turn: a handler that is added meanwhile is called as well.
      const added = () => this.handlers.get(name) || [];
      for (let turn = 0; turn < added().length; turn += 1) {
        added()[turn](...values);
      }
      const attribute = this[`on${name[0].toUpperCase()}${name.slice(1)}`];
      if (attribute) {
        attribute.call(this, ...values);
      }
    }
  }

  function open(cti, first) {
    const opened = new SockJS(cti.endpoint);
    socket = opened;
    opened.onopen = () => send(first);
    opened.onmessage = ({ data }) => receive(cti, JSON.parse(data));
    opened.onclose = () => {
      shared.connected = false;
      socket = null;
      const callbacks = [...pending.values()];
      pending.clear();
      callbacks.forEach((callback) => callback({ ...CLOSED }, null));
      cti.emit('disconnected');
    };
  }

  function send({ command, callback }) {
    pending.set(command.id, callback);
    socket.send(JSON.stringify(command));
  }

  function ask(cti, action, fields, callback) {
    lastId += 1;
    const request = { command: { action, id: lastId, ...fields }, callback };
    if (socket && shared.connected) {
      send(request);
    } else {
      open(cti, request);
    }
  }

  function receive(cti, { notify, call, id, error, result }) {
    if (notify === 'call') {
      cti.heard(new Call(cti, call));
      return;
    }
    const callback = pending.get(id);
    if (!callback) {
      return;
    }
    pending.delete(id);
    if (!error) {
      callback(null, result);
      return;
    }
    const known = ERROR_CODES.find(([pattern]) => pattern.test(error.message));
    callback(known ? { ...error, error_code: known[1] } : error, null);
  }

  class Call extends Emitter {
    constructor(cti, fields) {
      super();
      // Not among its properties: those are what the server sent.
      Object.defineProperty(this, 'cti', { value: cti });
      Object.assign(this, fields);
    }

    ask(action, fields, callback) {
      const answered = (err, res) => callback(err, res);
      ask(this.cti, action, { call_ref: this.callref, ...fields }, answered);
    }

    answer(callback) { this.ask('answer_call', {}, callback); }
    hang_up(callback) { this.ask('terminate_call', {}, callback); }
    reject(callback) { this.ask('reject_call', {}, callback); }
    pause(callback) { this.ask('pause_call', {}, callback); }
    unpark(callback) { this.ask('unpark_call', {}, callback); }
    transfer(side, to, callback) { this.ask('transfer_call', { side, to }, callback); }

    supervised_transfer(side, to, ...rest) {
      const callback = rest.pop();
      this.ask('supervised_transfer_call', { side, to, ...given('invite_timer', rest) }, callback);
    }

    merge(side, { callref }, side2, callback) {
      this.ask('merge_call', { side, call_ref2: callref, side2 }, callback);
    }

    park(side, ...rest) {
      const callback = rest.pop();
      this.ask('park_call', { side, ...given('slot', rest) }, callback);
    }

    get_duration() { return between(this.connect_date, this.release_date); }

    get_ringing_duration() {
      return between(this.setup_date, this.connect_date || this.release_date);
    }
  }

  class CTI extends Emitter {
    constructor(options) {
      super();
      const { cookie_auto, cookie_name, cookie_expires, ping_auto, endpoint } = options || {};
      Object.defineProperties(this, {
        calls: { value: [] },
        cookie: { value: { name: cookie_name ?? '__ksid', days: cookie_expires ?? 60 } },
        endpoint: { value: endpoint ?? KEYYO_ENDPOINT },
      });
      if (!(cookie_auto ?? true)) {
        cookiesOn = false;
        setCookie('__ksid', '', -1);
      }
      if ((ping_auto ?? true) && pings === null) {
        pings = setInterval(() => this.keepAlive(), PING_INTERVAL);
      }
    }

    keepAlive() {
      if (shared.connected) {
        this.ping((err) => err && socket && socket.close());
      }
    }

    heard(call) {
      const at = this.calls.findIndex(({ callref }) => callref === call.callref);
      if (at >= 0) {
        this.calls.splice(at, 1);
      }
      this.calls.push(call);
      this.emit('newCall', call);
      if (call.state === 'CONNECT' || call.state === 'RELEASE') {
        call.date = call.connect_date || call.setup_date;
      }
      if (['SETUP', 'CONNECT', 'RELEASE', 'MISSED'].includes(call.state)) {
        call.emit(call.state.toLowerCase());
      }
    }

    create_session(token, ...rest) {
      const callback = rest.pop();
      const fields = { token, protocol_version: 1, ...given('auto_answer', rest) };
      ask(this, 'create_session', fields, (err, res) => {
        if (!err) {
          Object.assign(shared, { connected: true, session_id: res.session_id });
          if (cookiesOn) {
            setCookie(this.cookie.name, res.session_id, this.cookie.days);
          }
        }
        callback(err, res);
      });
    }

    restore_session(token, ...rest) {
      const callback = rest.pop();
      const session_id = cookiesOn ? getCookie(this.cookie.name) : rest[0];
      ask(this, 'restore_session', { token, session_id, protocol_version: 1 }, (err, res) => {
        if (err && cookiesOn && ['invalid_session_id', 'invalid_params'].includes(err.error_code)) {
          this.create_session(token, callback);
          return;
        }
        if (!err) {
          shared.connected = true;
        }
        callback(err, res);
      });
    }

    destroy_session(callback) {
      ask(this, 'destroy_session', {}, (err, res) => {
        if (!err) {
          shared.connected = false;
          if (cookiesOn) {
            setCookie(this.cookie.name, '', -1);
          }
        }
        callback(err, res);
      });
    }

    session_exists() { return cookiesOn && Boolean(getCookie(this.cookie.name)); }
    get_calls() { return this.calls; }
    get_call(callref) { return this.calls.find((call) => call.callref === callref) || null; }
  }

  const COMMANDS = {
    dial: ['call', 'number'],
    send_message: ['send_message', 'number', 'message'],
    subscribe: ['subscribe', 'number'],
    unsubscribe: ['unsubscribe', 'number'],
    get_subscriptions: ['get_subscriptions'],
    set_auto_answer: ['set_auto_answer', 'auto_answer'],
    get_auto_answer: ['get_auto_answer'],
    int_to_local: ['get_int_to_local_numbers', 'number'],
    local_to_int: ['get_local_to_int_number', 'number'],
    ping: ['ping'],
  };

  for (const [method, [action, ...names]] of Object.entries(COMMANDS)) {
    CTI.prototype[method] = function command(...values) {
      const callback = values[names.length];
      const fields = Object.fromEntries(names.map((name, index) => [name, values[index]]));
      ask(this, action, fields, (err, res) => callback(err, res));
    };
  }

  // One table for all CTIs, and one for all calls.
  CTI.prototype.handlers = new Map();
  Call.prototype.handlers = new Map();

  function given(name, [value]) {
    return value === undefined || value === null ? {} : { [name]: value };
  }

  function between(start, end) {
    return start ? Math.floor((end || Date.now() / 1000) - start) : 0;
  }

  function getCookie(name) {
    const pairs = document.cookie.split(';').map((pair) => pair.trim().split('='));
    const found = pairs.find(([key]) => key === name);
    return found ? found[1] : null;
  }

  function setCookie(name, value, days) {
    const end = new Date(Date.now() + parseInt(days, 10) * DAY).toUTCString();
    document.cookie = `${name}=${value}${days ? `; expires=${end}` : ''}`;
  }

  window.Keyyo = { CTI, CSB: shared };
})();
