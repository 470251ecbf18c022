'use strict';
// npm's SockJS client with the patience of the tests. By itself it gives up a connection that does
// not open within 0.7 s on loopback, which a loaded machine takes at times.

const SockJS = require('sockjs-client');
const InfoReceiver = require('sockjs-client/lib/info-receiver');

const PATIENCE = 40_000;

InfoReceiver.timeout = PATIENCE;

module.exports = (endpoint, transports) => (
  new SockJS(endpoint, null, { transports, timeout: PATIENCE })
);
