// ws for Node, with bufferutil, which masks in C; driver.h says what a driver is.
'use strict';
const fs = require('fs');
const WebSocket = require('ws');

const [mode, url, size, count] = [process.argv[2], process.argv[3], +process.argv[4], +process.argv[5]];
const { BENCH_CA, BENCH_TEXTS, BENCH_DEFLATE, BENCH_IDLE, BENCH_HOLD_URL } = process.env;
const HANDSHAKES = 64;
const BUSY = 100;
const HIGH_WATER = 1 << 20;

const options = { perMessageDeflate: BENCH_DEFLATE === '1' };
if (BENCH_CA) options.ca = fs.readFileSync(BENCH_CA);

const fail = (what) => {
  console.error(`ws: ${what}`);
  process.exit(1);
};

// ---------------------------------------------------------------------------- the clock

const resident = () => +/VmRSS:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1];
let before, cpu, began;

const clock = () => {
  before = resident();
  cpu = process.cpuUsage();
  began = process.hrtime.bigint();
};

const done = () => {
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const used = process.cpuUsage(cpu);
  fs.writeSync(1, `${JSON.stringify({
    seconds, cpu: (used.user + used.system) / 1e6, kib: resident() - before,
  })}\n`);
  process.exit(0);
};

// ---------------------------------------------------------------------------- connections

const dial = (to, onOpen, onText) => {
  const ws = new WebSocket(to, options);
  ws.on('error', fail);
  ws.on('close', () => fail('the connection has ended'));
  ws.on('open', () => onOpen(ws));
  ws.on('message', (data) => onText(ws, data.toString()));
};

// Calls onAll with n open connections.
const open = (n, to, onText, onAll) => {
  const held = [];
  let asked = 0;
  const next = () => {
    if (asked++ >= n) return;
    dial(to, (ws) => {
      held.push(ws);
      if (held.length === n) onAll(held);
      next();
    }, onText);
  };
  if (n === 0) onAll(held);
  for (let i = 0; i < HANDSHAKES; i++) next();
};

const texts = BENCH_TEXTS ? fs.readFileSync(BENCH_TEXTS, 'utf8').trimEnd().split('\n') : ['x'.repeat(size)];
const check = (text) => { if (text.length !== size) fail('a message of the wrong size'); };

// ---------------------------------------------------------------------------- modes

let sent = 0;
let received = 0;

const modes = {
  rx() {
    open(1, url, (_, text) => {
      check(text);
      if (++received === count) done();
    }, ([ws]) => {
      clock();
      ws.send('go');
    });
  },

  tx() {
    open(1, url, (_, text) => {
      if (text !== 'end') fail(`the server says: ${text}`);
      done();
    }, ([ws]) => {
      const pump = () => {
        while (sent < count) {
          const text = texts[sent++ % texts.length];
          if (ws.bufferedAmount > HIGH_WATER) {
            ws.send(text, pump); // goes on when this one is out
            return;
          }
          ws.send(text);
        }
      };
      clock();
      pump();
    });
  },

  rtt() {
    open(1, url, (ws, text) => {
      check(text);
      if (++received === count) done();
      ws.send(texts[0]);
    }, ([ws]) => {
      clock();
      ws.send(texts[0]);
    });
  },

  conn() {
    clock();
    open(count, url, () => {}, done);
  },

  open() {
    const urls = [process.env.BENCH_WARM_URL, ...Array(count).fill(url)];
    const opened = [];
    const next = () => {
      if (opened.length === urls.length) {
        fs.writeSync(1, `${JSON.stringify({ opened: opened.slice(1) })}\n`);
        process.exit(0);
      }
      const start = process.hrtime.bigint();
      const ws = new WebSocket(urls[opened.length], options);
      ws.on('error', fail);
      ws.on('open', () => {
        opened.push(Number(process.hrtime.bigint() - start) / 1e9);
        ws.close();
      });
      ws.on('close', next);
    };
    next();
  },

  busy() {
    const send = (ws) => {
      if (sent++ < count) ws.send(texts[0]);
    };
    open(+BENCH_IDLE, BENCH_HOLD_URL, () => {}, () => {
      open(BUSY, url, (ws, text) => {
        check(text);
        if (++received === count) done();
        send(ws);
      }, (held) => {
        clock();
        held.forEach(send);
      });
    });
  },
};

modes[mode]();
