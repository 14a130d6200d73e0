// fast-gateway with its default client; fields are added in its rewriteRequestHeaders, the log line on `finish`.

import { randomUUID } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import gateway from 'fast-gateway';
import { logLine, orders, scheme, tlsOptions, upstreamUrl } from './peer.js';

const server =
  tlsOptions === null ? http.createServer({ keepAliveTimeout: 75_000 }) : https.createServer({ ...tlsOptions, keepAliveTimeout: 75_000 });

const app = gateway({
  restana: { server, securityHeaders: false },
  enableServicesEndpoint: false,
  routes: [
    {
      prefix: '',
      pathRegex: '/*',
      target: upstreamUrl,
      hooks: {
        onRequest(req, res) {
          const startedAt = performance.now();
          req.id = randomUUID();
          res.setHeader('x-request-id', req.id);
          res.once('finish', () => logLine(req.id, req, res, startedAt));
        },
        rewriteRequestHeaders: (req, headers) => ({
          ...headers,
          'x-forwarded-for': req.socket.remoteAddress,
          'x-forwarded-proto': scheme,
          'x-request-id': req.id,
        }),
      },
    },
  ],
});
await app.start(orders.port, '127.0.0.1');
