import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

/** What the backend answers an upload with. */
export interface UploadReceipt {
  readonly bytes: number;
  readonly sha256: string;
  /** `content-length: N` or `transfer-encoding: chunked`, as it arrived. */
  readonly framing: string;
}

/** A backend that hashes what is uploaded to it, in a thread of its own so as not to slow the uploading client. */
export async function startHashingBackend(): Promise<{ url: string; close(): Promise<unknown> }> {
  const worker = new Worker(new URL(import.meta.url));
  const [port] = (await once(worker, 'message')) as [number];
  return { url: `http://127.0.0.1:${port}`, close: () => worker.terminate() };
}

if (!isMainThread) {
  const server = http.createServer({ requestTimeout: 0 }, (request, response) => {
    const hash = createHash('sha256');
    let bytes = 0;
    request.on('data', (piece: Buffer) => {
      hash.update(piece);
      bytes += piece.length;
    });
    request.once('end', () => {
      const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
      const framing = length === undefined ? `transfer-encoding: ${coding}` : `content-length: ${length}`;
      response
        .writeHead(201, { 'content-type': 'application/json' })
        .end(JSON.stringify({ bytes, sha256: hash.digest('hex'), framing } satisfies UploadReceipt));
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
}
