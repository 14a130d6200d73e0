// http-proxy with an agent that keeps connections; its `xfwd` adds the forwarded fields.

import { randomUUID } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import httpProxy from 'http-proxy';
import { logLine, orders, tlsOptions, upstreamUrl } from './peer.js';

const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 2048 });
const proxy = httpProxy.createProxyServer({ target: upstreamUrl, agent, xfwd: true, changeOrigin: true });

const onRequest = (req, res) => {
  const startedAt = performance.now();
  const id = randomUUID();
  req.headers['x-request-id'] = id;
  res.setHeader('x-request-id', id);
  res.once('finish', () => logLine(id, req, res, startedAt));
  proxy.web(req, res);
};

proxy.on('error', (error, req, res) => {
  if (res.headersSent) res.destroy();
  else res.writeHead(502).end();
});
// Clients may be idle for as long as with the others, and nobody measures the default timeouts.
const server =
  tlsOptions === null
    ? http.createServer({ keepAliveTimeout: 75_000 }, onRequest)
    : https.createServer({ ...tlsOptions, keepAliveTimeout: 75_000 }, onRequest);
server.listen(orders.port, '127.0.0.1');
