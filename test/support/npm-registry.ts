import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface NpmRegistry {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A registry with one package in one version, below `mount`. As real registries behind a proxy do, it tells clients to
 * fetch the tarball from the address that the forwarded headers give.
 */
export async function startNpmRegistry(mount: string, name: string, version: string, tarballFile: string): Promise<NpmRegistry> {
  const tarball = await readFile(tarballFile);
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const server = http.createServer((request, response) => {
    if (request.url === `${mount}/${name}`) {
      const origin = `${String(request.headers['x-forwarded-proto'])}://${String(request.headers['x-forwarded-host'])}`;
      const dist = { tarball: `${origin}${mount}/${name}/-/${name}-${version}.tgz`, integrity };
      const body = JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: { name, version, dist } } });
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    } else if (request.url === `${mount}/${name}/-/${name}-${version}.tgz`) {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': tarball.length }).end(tarball);
    } else {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
