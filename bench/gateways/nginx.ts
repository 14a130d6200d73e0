import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { foreignProgram } from '../../test/support/foreign-program.ts';
import { start } from '../measure/programs.ts';
import type { Gateway, GatewaySetup } from './gateway.ts';

/** nginx with pooled upstream connections and a buffered access log: the measure of all others. */
export const nginx: Gateway = {
  name: 'nginx',
  missing: () => (foreignProgram('nginx') === undefined ? 'nginx: apt-get install nginx-light' : null),
  version: () => spawnSync(foreignProgram('nginx')!, ['-v'], { encoding: 'utf8' }).stderr.trim().replace('nginx version: nginx/', ''),
  supports: () => true,
  // oxlint-disable-next-line typescript/require-await -- others have to wait
  async start(setup) {
    const file = join(setup.directory, 'nginx.conf');
    writeFileSync(file, configuration(setup));
    return start('nginx', ['-c', file, '-e', join(setup.directory, 'error.log')], { cores: setup.cores });
  },
};

function configuration({ directory, port, upstreamPort, websocketPort, tls, routes, workers, policy }: GatewaySetup): string {
  const forward = `
      proxy_pass http://upstream;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Request-Id $request_id;`;
  const live = `location /ws {
      proxy_pass http://127.0.0.1:${websocketPort};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_read_timeout 600s;
    }`;
  const locations =
    routes === 0 || policy === 'everything'
      ? `location / {${forward}\n    }${policy === 'websocket' ? live : ''}`
      : Array.from({ length: routes }, (_, n) => `location ^~ /r/${n}/ {${forward}\n    }`).join('\n    ');
  return `
daemon off;
worker_processes ${workers};
pid ${directory}/nginx.pid;
worker_rlimit_nofile 65536;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 32768; }
http {
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  log_format line escape=json '{"time":$msec,"request_id":"$request_id","method":"$request_method","host":"$http_host","path":"$uri","status":$status,'
    '"duration":$request_time,"upstream_duration":"$upstream_response_time","upstream":"$upstream_addr","remote":"$remote_addr","bytes_in":$request_length,"bytes_out":$bytes_sent}';
  access_log /dev/null line buffer=64k flush=1s;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  tcp_nodelay on;
  # Bodies stay in memory, and long answers flow in large pieces.
  client_body_buffer_size 128k;
  client_max_body_size 16m;
  proxy_buffers 16 32k;
  proxy_buffer_size 32k;
  proxy_busy_buffers_size 256k;
  proxy_max_temp_file_size 0;
  ssl_session_cache shared:tls:1m;
  upstream upstream {
    server 127.0.0.1:${upstreamPort};
    keepalive 2048;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
  }
  server {
    listen 127.0.0.1:${port}${tls === null ? '' : ' ssl'} backlog=4096;
    ${tls === null ? '' : `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}; ssl_protocols TLSv1.2 TLSv1.3;`}
    add_header X-Request-Id $request_id;
    ${locations}
  }
}
`;
}
