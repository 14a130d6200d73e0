import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { nonceEchoHeader, nonceHeader } from './raw-client.ts';

export interface EchoedRequest {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly bodyLength: number;
  /** SHA-256 in hexadecimal. */
  readonly bodyHash: string;
  readonly trailers: readonly string[];
}

export interface EchoUpstream {
  readonly url: string;
  readonly requests: EchoedRequest[];
  close(): Promise<void>;
}

/** An ordinary node:http server, written by others than the gateway, that answers what it got as JSON. */
export async function startEchoUpstream(): Promise<EchoUpstream> {
  const requests: EchoedRequest[] = [];
  const server = http.createServer((request, response) => {
    const hash = createHash('sha256');
    let bodyLength = 0;
    request.on('data', (piece: Buffer) => {
      hash.update(piece);
      bodyLength += piece.length;
    });
    request.on('end', () => {
      const echoed: EchoedRequest = {
        method: request.method ?? '',
        target: request.url ?? '',
        rawHeaders: request.rawHeaders,
        bodyLength,
        bodyHash: hash.digest('hex'),
        trailers: request.rawTrailers,
      };
      requests.push(echoed);
      const nonce = request.headers[nonceHeader.toLowerCase()];
      response.writeHead(200, { 'Content-Type': 'application/json', ...(typeof nonce === 'string' ? { [nonceEchoHeader]: nonce } : {}) });
      response.end(JSON.stringify(echoed));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
