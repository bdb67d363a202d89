// Loaded before a client (node --require): what curl calls --connect-to. Connections to TikTok's names go to the address
// in CONNECT_TO; the names themselves stay, so the certificate is checked against them. The client is not changed.
"use strict";
const net = require("node:net");

const [host, port] = process.env.CONNECT_TO.split(":");
const theirs = /(^|\.)(tiktok-shops\.com|tiktokglobalshop\.com|tiktokshop\.com|tiktokshops\.us|tiktok\.com)$/;
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...given) {
  const options = Array.isArray(given[0]) ? given[0][0] : given[0];
  if (theirs.test(options?.host ?? "")) {
    Object.assign(options, { host, port: Number(port) });
  }
  return connect.apply(this, given);
};
