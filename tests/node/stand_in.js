'use strict';
// Stands in for Keyyo's JavaScript SDK, of which the tests have no copy: as much of it as
// samples/porting/phone.html uses, on npm's SockJS client. KEYYO_ENDPOINT comes from the test.

const MESSAGES = { 'Malformed request (missing required parameters)': 'missing_parameter' };
const EVENTS = { SETUP: 'onSetup', CONNECT: 'onConnect', RELEASE: 'onRelease', MISSED: 'onMissed' };

class StandInCall {
  constructor(cti, fields) {
    Object.assign(this, fields, { type: fields.state });
    this.ask = (action, callback) => cti.ask(action, { call_ref: fields.callref }, callback);
  }

  answer(callback) { this.ask('answer_call', callback); }
  reject(callback) { this.ask('reject_call', callback); }
  hang_up(callback) { this.ask('terminate_call', callback); }
  pause(callback) { this.ask('pause_call', callback); }
  unpark(callback) { this.ask('unpark_call', callback); }

  get_duration() { return between(this.connect_date, this.release_date); }
  get_ringing_duration() {
    return between(this.setup_date, this.connect_date || this.release_date);
  }
}

class StandIn {
  constructor(options) {
    this.options = options;
    this.waiting = [];
    this.calls = new Map();
    this.sockjs = new SockJS(KEYYO_ENDPOINT);
    this.opened = new Promise((open) => { this.sockjs.onopen = open; });
    this.sockjs.onmessage = ({ data }) => this.receive(JSON.parse(data));
  }

  ask(action, fields, callback) {
    const id = this.waiting.push(callback);
    const message = JSON.stringify({ action, id, ...fields });
    this.opened.then(() => this.sockjs.send(message));
  }

  receive({ notify, call, id, error, result }) {
    if (notify === 'call') {
      const told = new StandInCall(this, call);
      this.calls.delete(call.callref);
      this.calls.set(call.callref, told);
      this.onNewCall(told);
      (told[EVENTS[call.state]] || (() => {}))();
      return;
    }
    if (error) {
      error.error_code = MESSAGES[error.message];
    }
    this.waiting[id - 1](error, result);
  }

  create_session(token, callback) {
    this.ask('create_session', { token, protocol_version: 1 }, (err, res) => {
      if (!err) {
        document.cookie = `${this.options.cookie_name}=${res.session_id}`;
      }
      callback(err, res);
    });
  }

  restore_session(token, callback) {
    const kept = new RegExp(`${this.options.cookie_name}=([^;]+)`).exec(document.cookie);
    const session = kept ? { session_id: kept[1] } : {};
    this.ask('restore_session', { token, protocol_version: 1, ...session }, callback);
  }

  dial(number, callback) { this.ask('call', { number }, callback); }
  get_calls() { return [...this.calls.values()]; }
}

function between(start, end) {
  return start ? Math.floor((end || Date.now() / 1000) - start) : 0;
}

window.Keyyo = { CTI: StandIn };
