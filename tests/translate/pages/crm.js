// A CRM connector in classes.
const STATES = Object.freeze({ SETUP: 'ringing', CONNECT: 'talking', RELEASE: 'done', MISSED: 'missed' });

class Emitter {
  #listeners = new Map();

  on(type, listener) {
    if (!this.#listeners.has(type)) {
      this.#listeners.set(type, new Set());
    }
    this.#listeners.get(type).add(listener);
    return () => this.off(type, listener);
  }

  off(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }

  emit(type, ...args) {
    const listeners = this.#listeners.get(type) ?? [];
    for (const listener of listeners) {
      try {
        listener(...args);
      } catch (error) {
        console.error(`listener of ${type}: ${error.message}`);
      }
    }
  }
}

class PhoneNumber {
  static parse(text) {
    const digits = String(text).replace(/\D+/g, '');
    if (digits.length < 3) {
      throw new RangeError(`too short: "${text}"`);
    }
    if (digits.startsWith('0') && digits.length === 10) {
      return new PhoneNumber('33' + digits.slice(1));
    }
    return new PhoneNumber(digits);
  }

  constructor(digits) {
    this.digits = digits;
  }

  get national() {
    return this.digits.startsWith('33') ? `0${this.digits.slice(2)}` : this.digits;
  }

  equals(other) {
    return other instanceof PhoneNumber && other.digits === this.digits;
  }

  toString() {
    return this.national.match(/\d{1,2}/g).join(' ');
  }
}

class Contact {
  constructor({ id, name, phones = [], notes }) {
    this.id = id;
    this.name = name;
    this.phones = phones.map((phone) => PhoneNumber.parse(phone));
    this.notes = notes ?? [];
    this.calls = [];
  }

  get lastCall() {
    return this.calls[this.calls.length - 1];
  }

  has(number) {
    return this.phones.some((phone) => phone.digits === number);
  }
}

class Crm {
  constructor(contacts) {
    this.contacts = contacts.map((each) => new Contact(each));
  }

  find(number) {
    return this.contacts.find((contact) => contact.has(number));
  }

  *[Symbol.iterator]() {
    yield* this.contacts;
  }
}

class CallRecord {
  constructor(call, contact) {
    this.ref = call.callref;
    this.contact = contact;
    this.history = [];
    this.update(call);
  }

  update(call) {
    const last = this.history[this.history.length - 1];
    if (last !== call.state) {
      this.history.push(call.state);
    }
    this.duration = call.get_duration ? call.get_duration() : 0;
    return this;
  }

  get status() {
    return STATES[this.history[this.history.length - 1]] || 'unknown';
  }

  get finished() {
    return ['RELEASE', 'MISSED'].includes(this.history.at(-1));
  }
}

class Connector extends Emitter {
  constructor(crm, { token, autoPopup = true } = {}) {
    super();
    this.crm = crm;
    this.token = token;
    this.autoPopup = autoPopup;
    this.records = {};
    this.cti = new Keyyo.CTI({ cookie_auto: false });
    this.cti.onNewCall = (call) => this.handle(call);
    this.handle = this.handle.bind(this);
  }

  connect() {
    return new Promise((resolve, reject) => {
      this.cti.create_session(this.token, (err, session) => {
        if (err) {
          reject(err);
          return;
        }
        this.number = session.number;
        this.emit('connected', session.number);
        resolve(this);
      });
    });
  }

  handle(call) {
    const { callref, caller, callee } = call;
    const remote = callee === this.number ? caller : callee;
    let record = this.records[callref];
    if (record) {
      record.update(call);
    } else {
      record = new CallRecord(call, this.crm.find(remote));
      this.records[callref] = record;
      this.emit('new', record, remote);
    }
    this.emit('change', record);
    if (record.finished) {
      record.contact?.calls.push({ ref: record.ref, duration: record.duration, missed: record.status === 'missed' });
      delete this.records[callref];
      this.emit('end', record);
    }
  }

  dial(text) {
    const number = PhoneNumber.parse(text);
    this.cti.dial(number.digits, (err) => {
      if (err) this.emit('error', err);
      else this.emit('dialled', number);
    });
  }

  get active() {
    return Object.values(this.records).filter((record) => !record.finished);
  }
}

const crm = new Crm([
  { id: 1, name: 'Bob', phones: ['01 99 02 00 00'], notes: ['pays late'] },
  { id: 2, name: 'Carol', phones: ['+33 1 72 58 79 48', '01 99 00 00 03'] },
]);

const connector = new Connector(crm, { token: '<CSI token>' });
const stats = { total: 0, missed: 0 };

connector.on('connected', (number) => console.log('connected', `${PhoneNumber.parse(number)}`));
connector.on('new', ({ contact }, remote) => {
  const name = contact?.name ?? `unknown ${new PhoneNumber(remote)}`;
  console.log('popup:', name, contact ? contact.notes.join(', ') || '-' : '');
});
const off = connector.on('change', (record) => {
  console.log(record.history.join('>'), record.status, connector.active.length);
});
connector.on('end', (record) => {
  stats.total += 1;
  if (record.status === 'missed') stats.missed++;
  const { calls = [] } = record.contact || {};
  console.log(`end: ${stats.total} calls, ${stats.missed} missed, with contact ${calls.length}`);
  if (stats.total === 2) {
    off();
  }
});
connector.on('error', (err) => console.log('error', err.status_code, err.message));
connector.on('dialled', (number) => console.log('dialled', number.toString()));
connector.on('end', () => { throw new Error('oops'); });

for (const bad of ['12', '', '+1']) {
  try {
    connector.dial(bad);
  } catch (e) {
    console.log(e instanceof RangeError ? e.message : `odd ${e}`);
  }
}

connector.connect()
  .then(({ number }) => {
    console.log('ready', number, crm.contacts.length);
    setTimeout(() => connector.dial('01 99 02 00 00'), 10);
  })
  .catch((err) => console.error('cannot connect', err.message));
