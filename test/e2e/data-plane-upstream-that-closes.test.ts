import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { foreignProgram } from '../support/foreign-program.ts';
import { freePort } from '../support/free-port.ts';
import { startGateway } from '../support/start-gateway.ts';

const nginxProgram = foreignProgram('nginx');

test(
  'an nginx that closes its connections after every seventh request costs no client anything',
  { skip: nginxProgram === undefined ? 'nginx is not installed' : false },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'apigate-nginx-'));
    const port = await freePort();
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${directory}/${name};`)
      .join(' ');
    await writeFile(
      join(directory, 'nginx.conf'),
      `daemon off; worker_processes 1; pid ${directory}/nginx.pid; events { worker_connections 512; }
http { access_log off; ${temporary} keepalive_requests 7; server { listen 127.0.0.1:${port}; location / { return 200 "$request_uri"; } } }`,
    );
    const nginx = spawn(nginxProgram!, ['-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')], { stdio: 'ignore' });
    try {
      const answers = (): Promise<boolean> =>
        fetch(`http://127.0.0.1:${port}/`).then(
          ({ ok }) => ok,
          () => false,
        );
      await eventually(answers, 'nginx', 10_000);
      const gateway = await startGateway({ upstream: `http://127.0.0.1:${port}`, workers: 2 });
      try {
        for (let round = 0; round < 20; round += 1) {
          const bodies = await Promise.all(
            Array.from({ length: 30 }, async (_, index) => {
              const response = await fetch(`${gateway.url}/${round}/${index}`);
              return `${response.status} ${await response.text()}`;
            }),
          );
          assert.deepEqual(
            bodies,
            bodies.map((_, index) => `200 /${round}/${index}`),
          );
        }
      } finally {
        assert.equal(await gateway.stop(), 0);
      }
    } finally {
      const exit = once(nginx, 'exit');
      nginx.kill('SIGTERM');
      await exit;
      await rm(directory, { recursive: true, force: true });
    }
  },
);
