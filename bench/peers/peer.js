// What the three npm gateways share: their orders, one access log line for each request, the forwarded fields they lack.

import { createWriteStream, readFileSync } from 'node:fs';

/** The orders come as one argument, JSON: `{ port, upstreamPort, log, tls: { cert, key } | null }`. */
export const orders = JSON.parse(process.argv[2]);

/** For createServer; null without TLS. */
export const tlsOptions =
  orders.tls === null ? null : { cert: readFileSync(orders.tls.cert), key: readFileSync(orders.tls.key), ALPNProtocols: ['http/1.1'] };

export const upstreamUrl = `http://127.0.0.1:${orders.upstreamPort}`;
export const scheme = orders.tls === null ? 'http' : 'https';

const file = createWriteStream(orders.log, { flags: 'a' });
let lines = '';

/** One JSON line, written with others: in blocks of 64 KiB, or after 100 ms. */
export function logLine(id, req, res, startedAt) {
  lines += `{"time":${Date.now()},"request_id":"${id}","client":"${req.socket.remoteAddress}","method":"${req.method}","path":${JSON.stringify(req.url)},"status":${res.statusCode},"duration_ms":${(performance.now() - startedAt).toFixed(3)}}\n`;
  if (lines.length > 65_536) flush();
}

function flush() {
  if (lines !== '') file.write(lines);
  lines = '';
}

setInterval(flush, 100).unref();
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));
