import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/start-gateway.ts';

// A terminal sends Ctrl-C to npm and to the gateway alike, and npm passes it on: two signals for one key.
test('Ctrl-C under npm start lets a request in flight finish', async () => {
  let answer: (() => void) | undefined;
  const arrived = Promise.withResolvers<void>();
  const upstream = http.createServer((_, response) => {
    answer = () => void response.end('finished');
    arrived.resolve();
  });
  await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening));
  const gateway = await startGateway({
    upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    env: { npm_lifecycle_event: 'start' },
  });
  try {
    const response = fetch(`${gateway.url}/slow`).then((got) => got.text());
    await arrived.promise;
    gateway.process.kill('SIGINT');
    // Sent in the same moment, two signals would arrive as one.
    await eventually(() => gateway.lines.some(({ msg }) => String(msg).startsWith('stopping')), 'the first signal heard');
    gateway.process.kill('SIGINT');
    setTimeout(() => answer?.(), 100);
    assert.equal(await response, 'finished');
    assert.equal(await gateway.exited, 0);
  } finally {
    await gateway.stop();
    upstream.close();
    upstream.closeAllConnections();
  }
});
