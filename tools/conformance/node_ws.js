// ws for Node, run through the cases: node_ws.js PORT CASES, where CASES is a file with a JSON list of
// what the client is told in each (see spec/conformance/cases.lua). Prints a line of JSON for each: what
// it has seen. The modules are found by NODE_PATH.
'use strict';
const fs = require('fs');
const WebSocket = require('ws');

const AT_ONCE = 24; // connections
const LIMIT = 20000; // milliseconds for a case
const port = process.argv[2];
const cases = JSON.parse(fs.readFileSync(process.argv[3], 'utf8'));

const compression = (parameters) => {
  if (!parameters) return false;
  return {
    threshold: 0,
    serverNoContextTakeover: parameters.server_no_context_takeover,
    clientNoContextTakeover: parameters.client_no_context_takeover,
    serverMaxWindowBits: parameters.server_max_window_bits,
    clientMaxWindowBits: parameters.client_max_window_bits,
  };
};

const play = (number, done) => {
  const one = cases[number - 1];
  const told = { number, opened: false, messages: [] };
  const ws = new WebSocket(`ws://127.0.0.1:${port}/${number}`, one.protocols || [], {
    perMessageDeflate: compression(one.compression),
    handshakeTimeout: one.timeout ? one.timeout * 1000 : 5000,
    maxPayload: 1 << 24,
  });
  const timer = setTimeout(() => ws.terminate(), LIMIT);
  ws.on('open', () => { told.opened = true; });
  ws.on('error', (error) => { told.error = error.message; });
  ws.on('message', (data, binary) => {
    told.messages.push([binary ? 'binary' : 'text', data.toString('base64')]);
    if (one.echo) ws.send(data, { binary });
    if (one.closes) ws.close(...one.closes);
  });
  ws.on('close', (code, reason) => {
    clearTimeout(timer);
    told.close = [code, reason.toString('base64')];
    fs.writeSync(1, `${JSON.stringify(told)}\n`);
    done();
  });
};

let begun = 0;
const next = () => {
  if (begun < cases.length) play(++begun, next);
};
for (let i = 0; i < AT_ONCE; i++) next();
