// A callback campaign with promises, async functions and fetch: one number after the other.
const token = '<CSI token>';
const queue = [
  { number: '33199020000', note: 'invoice', tries: 0 },
  { number: '33172587949', tries: 0 },
];
const RESULTS = { done: [], failed: [] };
const MAX_TRIES = 2;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/* Each method of the SDK as a promise. */
function promisify(target, method) {
  return (...args) => new Promise((resolve, reject) => {
    target[method](...args, (err, res) => {
      if (err) {
        reject(err);
      } else {
        resolve(res);
      }
    });
  });
}

const cti = new Keyyo.CTI({ cookie_auto: false });
const waiting = {};

const line = {
  number: undefined,
  busy: false,
  async open() {
    const res = await new Promise((resolve, reject) => {
      cti.create_session(token, false, (err, result) => (err ? reject(err) : resolve(result)));
    });
    this.number = res.number;
    console.log('open', this.number);
    return res;
  },
  isMine(call) {
    return call.caller === this.number || call.callee === this.number;
  },
};

function dial(number) {
  return new Promise((resolve, reject) => {
    cti.dial(number, (err, res) => {
      if (err) { reject(err); } else { resolve(res); }
    });
  });
}

// Resolves when the call to a number is over.
function ended(number) {
  return new Promise((resolve) => {
    waiting[number] = resolve;
  });
}

cti.onNewCall = (call) => {
  if (!line.isMine(call)) {
    return;
  }
  switch (call.state) {
    case 'SETUP':
    case 'CONNECT':
      line.busy = true;
      break;
    case 'RELEASE':
    case 'MISSED': {
      line.busy = false;
      const resolve = waiting[call.callee];
      if (resolve) {
        delete waiting[call.callee];
        resolve({ state: call.state, seconds: call.get_duration() });
      }
      break;
    }
    default:
      console.log('odd state', call.state);
  }
};

async function attempt(job) {
  job.tries += 1;
  const over = ended(job.number);
  await dial(job.number);
  console.log('calling', job.number, job.note ?? 'no note');
  const { state, seconds } = await over;
  if (state === 'MISSED') {
    throw new Error(`nobody at ${job.number}`);
  }
  return seconds;
}

async function work() {
  while (queue.length > 0) {
    const job = queue.shift();
    try {
      const seconds = await attempt(job);
      RESULTS.done.push({ number: job.number, seconds });
      console.log('talked with', job.number);
    } catch (error) {
      console.log('failed:', error.message, 'try', job.tries);
      if (job.tries < MAX_TRIES) {
        queue.push(job);
        await sleep(20);
      } else {
        RESULTS.failed.push(job.number);
      }
    } finally {
      console.log('left', queue.length);
    }
  }
}

async function summary() {
  const formats = await Promise.all(RESULTS.done.map(async ({ number }) => {
    const res = await new Promise((resolve) => {
      cti.int_to_local(number, (err, result) => resolve(err ? { number } : result));
    });
    return res.number;
  }));
  console.log('done:', formats.join(', ') || 'none');
  console.log('failed:', JSON.stringify(RESULTS.failed));
  const all = Object.entries(RESULTS).map(([name, list]) => `${name}=${list.length}`);
  return all.join(' ');
}

async function main() {
  try {
    await line.open();
  } catch (err) {
    console.error(`cannot open: ${err.status_code} ${err.message}`);
    return 1;
  }
  await work();
  const text = await summary();
  console.log(text);
  return 0;
}

let ticks = 0;
const clock = setInterval(() => { ticks++; }, 10);

main()
  .then((code) => {
    clearInterval(clock);
    console.log('code', code, ticks > 0);
  })
  .catch((err) => console.log('unexpected', err))
  .finally(() => console.log('the end'));
console.log('started');
