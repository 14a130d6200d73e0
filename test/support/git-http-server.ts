import { spawn } from 'node:child_process';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { foreignProgram } from './foreign-program.ts';

export interface GitHttpServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the bare repositories in `folder` over git's smart HTTP protocol, for reading and pushing, by git's own CGI
 * program `git http-backend`. `mount` is the path in front of the repositories' names.
 */
export async function startGitHttpServer(folder: string, mount: string): Promise<GitHttpServer> {
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://git');
    if (!url.pathname.startsWith(`${mount}/`)) return void response.writeHead(404).end();
    const backend = spawn(foreignProgram('git')!, ['-c', 'http.receivepack=true', 'http-backend'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        REMOTE_USER: 'tester',
        PATH_INFO: url.pathname.slice(mount.length),
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    request.pipe(backend.stdin);
    // A backend that has its answer stops reading.
    backend.stdin.on('error', () => request.resume());
    let head = Buffer.alloc(0);
    backend.stdout.on('data', function readHead(piece: Buffer) {
      head = Buffer.concat([head, piece]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      backend.stdout.off('data', readHead);
      const fields = head
        .toString('latin1', 0, end)
        .split('\r\n')
        .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
      const status = Number(fields.find(([name]) => name === 'Status')?.[1].slice(0, 3) ?? 200);
      response.writeHead(status, fields.filter(([name]) => name !== 'Status').flat());
      response.write(head.subarray(end + 4));
      backend.stdout.pipe(response);
    });
    backend.once('close', () => void response.end());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => closed(server),
  };
}

function closed(server: http.Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}
