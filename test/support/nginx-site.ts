import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { foreignProgram } from './foreign-program.ts';
import { freePort } from './free-port.ts';

export interface NginxSite {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `folder` with nginx as a static site, gzip on. nginx must be installed. */
export async function startNginxSite(folder: string): Promise<NginxSite> {
  const port = await freePort();
  const state = await mkdtemp(join(tmpdir(), 'apigate-nginx-'));
  await writeFile(join(state, 'nginx.conf'), configuration(state, port, folder));
  const nginx = spawn(foreignProgram('nginx')!, ['-c', join(state, 'nginx.conf'), '-e', join(state, 'error.log')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  nginx.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const url = `http://127.0.0.1:${port}`;
  const answers = (): Promise<boolean> =>
    fetch(url).then(
      (response) => response.arrayBuffer().then(() => true),
      () => false,
    );
  await eventually(
    async () => nginx.exitCode !== null || (await answers()),
    () => `nginx on port ${port}\n${stderr}`,
    10_000,
  );
  if (nginx.exitCode !== null) throw new Error(`nginx ended with ${nginx.exitCode}:\n${stderr}`);
  return {
    url,
    async close() {
      const exit = once(nginx, 'exit');
      nginx.kill('SIGQUIT');
      await exit;
      await rm(state, { recursive: true, force: true });
    },
  };
}

function configuration(state: string, port: number, folder: string): string {
  return `
daemon off;
worker_processes 1;
pid ${state}/nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 256; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${state}/${name};`).join('\n  ')}
  types { text/html html; text/css css; application/octet-stream bin; }
  gzip on;
  # Or it would compress nothing for requests that carry Via.
  gzip_proxied any;
  gzip_types text/css;
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    error_page 404 /missing.html;
  }
}
`;
}
