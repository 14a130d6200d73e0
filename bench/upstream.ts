import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { eventually } from '../test/support/eventually.ts';
import { freePort } from '../test/support/free-port.ts';
import { threadTimes, processTree, type ThreadTimes } from './measure/processor-time.ts';
import { type Program, start, temporaryDirectory } from './measure/programs.ts';

/** The backend of every gateway: one nginx worker, which also counts the requests that reach it. */
export class Upstream {
  readonly port: number;
  readonly #statusPort: number;
  readonly #program: Program;

  constructor(port: number, statusPort: number, program: Program) {
    this.port = port;
    this.#statusPort = statusPort;
    this.#program = program;
  }

  /** Requests that came so far. Asking costs one of them. */
  async requests(): Promise<number> {
    const { body } = await get(this.#statusPort, '/status');
    return Number(/\n\s*\d+ \d+ (\d+)/.exec(body)?.[1]);
  }

  times(): ThreadTimes {
    return threadTimes(processTree(this.#program.pid));
  }

  get errors(): string {
    return this.#program.errors;
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}

/** Lengths of what the upstream answers, by path. */
export const answerLengths: Readonly<Record<string, number>> = {
  '/small': 128,
  '/10k': 10_240,
  '/1m': 1_048_576,
  '/sink': 128,
  '/people': 10_240,
};

/** 10 KiB of JSON: people with e-mail addresses. */
function people(length: number): string {
  const list = Array.from({ length: 110 }, (_, n) => ({ id: n, name: `Person ${n}`, email: `person${n}@example.test`, city: 'Bern' }));
  const text = JSON.stringify({ people: list, rest: '' });
  return text.replace('"rest":""', `"rest":"${'x'.repeat(length - text.length)}"`);
}

export async function startUpstream(cores: string): Promise<Upstream> {
  const directory = temporaryDirectory();
  const port = await freePort();
  const statusPort = await freePort();
  mkdirSync(join(directory, 'files'));
  for (const [path, length] of Object.entries(answerLengths))
    writeFileSync(join(directory, 'files', path), path === '/people' ? people(length) : 'x'.repeat(length));
  writeFileSync(join(directory, 'nginx.conf'), configuration(directory, port, statusPort));
  const program = start('nginx', ['-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')], { cores });
  const upstream = new Upstream(port, statusPort, program);
  const answers = (): Promise<boolean> =>
    get(port, '/sink', 'POST').then(
      ({ status }) => status === 200,
      () => false,
    );
  await eventually(
    async () => program.hasEnded || (await answers()),
    () => `an answer of the upstream\n${program.errors}`,
    5_000,
  );
  if (program.hasEnded) throw new Error(`nginx as upstream did not start: ${program.errors}`);
  return upstream;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a connection of its own. */
export function get(
  port: number,
  path: string,
  method = 'GET',
  send: typeof http.request = http.request,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send(
      { host: '127.0.0.1', port, path, method, headers, agent: false, timeout: 5_000, rejectUnauthorized: false } as http.RequestOptions,
      (response) => {
        let body = '';
        response.setEncoding('latin1').on('data', (piece: string) => (body += piece));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
        response.once('error', reject);
      },
    );
    request.once('error', reject).once('timeout', () => request.destroy(new Error('no answer within 5 s')));
    request.end();
  });
}

function configuration(directory: string, port: number, statusPort: number): string {
  return `
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 16384; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  sendfile on;
  tcp_nodelay on;
  open_file_cache max=16 inactive=1h;
  open_file_cache_valid 1h;
  client_body_buffer_size 256k;
  client_max_body_size 16m;
  default_type text/plain;
  # The only handlers that read a body whole before they answer are the proxying ones; with a cached answer none asks further.
  proxy_cache_path ${directory}/cache keys_zone=sink:1m inactive=1d;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${directory}/files;
    location = /small { return 200 "${'x'.repeat(128)}"; }
    location /r/ { return 200 "${'x'.repeat(128)}"; }
    location = /echo { return 200 "$http_x_forwarded_for\\n$http_x_forwarded_proto\\n$http_x_forwarded_host\\n$http_x_request_id\\n$http_connection\\n"; }
    location = /10k { }
    location = /1m { }
    location = /people { default_type application/json; }
    location = /sink {
      proxy_cache sink;
      proxy_cache_methods GET HEAD POST;
      proxy_cache_key sink;
      proxy_cache_valid 200 1d;
      proxy_pass http://127.0.0.1:${statusPort}/answer;
    }
  }
  server {
    listen 127.0.0.1:${statusPort};
    location = /status { stub_status; }
    location = /answer { return 200 "${'x'.repeat(128)}"; }
  }
}
`;
}
