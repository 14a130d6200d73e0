// @fastify/http-proxy on undici (its fastest client), with as many upstream connections as there are clients.

import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import httpProxy from '@fastify/http-proxy';
import { logLine, orders, scheme, tlsOptions, upstreamUrl } from './peer.js';

const app = Fastify({
  logger: false,
  keepAliveTimeout: 75_000,
  genReqId: () => randomUUID(),
  ...(tlsOptions === null ? {} : { https: tlsOptions }),
});
app.decorateRequest('startedAt', 0);
app.addHook('onRequest', (request, reply, done) => {
  request.startedAt = performance.now();
  reply.header('x-request-id', request.id);
  done();
});
app.addHook('onResponse', (request, reply, done) => {
  logLine(request.id, request.raw, reply.raw, request.startedAt);
  done();
});
await app.register(httpProxy, {
  upstream: upstreamUrl,
  undici: { connections: 1024, pipelining: 1, keepAliveTimeout: 60_000 },
  disableRequestLogging: true,
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      'x-forwarded-for': request.ip,
      'x-forwarded-proto': scheme,
      'x-forwarded-host': request.headers.host,
      'x-request-id': request.id,
    }),
  },
});
await app.listen({ port: orders.port, host: '127.0.0.1' });
