import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { foreignProgram } from '../../test/support/foreign-program.ts';
import { start } from '../measure/programs.ts';
import type { Gateway, GatewaySetup } from './gateway.ts';

/** HAProxy with `http-reuse always`; its log cannot be buffered, so it is written to /dev/null line by line. */
export const haproxy: Gateway = {
  name: 'haproxy',
  missing: () => (foreignProgram('haproxy') === undefined ? 'HAProxy: apt-get install haproxy' : null),
  version: () => /version (\S+)/.exec(spawnSync(foreignProgram('haproxy')!, ['-v'], { encoding: 'utf8' }).stdout)?.[1] ?? '',
  supports: ({ policy }) => policy === 'none',
  // oxlint-disable-next-line typescript/require-await -- others have to wait
  async start(setup) {
    const file = join(setup.directory, 'haproxy.cfg');
    writeFileSync(file, configuration(setup));
    return start('haproxy', ['-f', file, '-db'], { cores: setup.cores });
  },
};

function configuration({ directory, port, upstreamPort, tls, routes, workers }: GatewaySetup): string {
  const bind = tls === null ? '' : ` ssl crt ${directory}/haproxy.pem alpn http/1.1 ssl-min-ver TLSv1.2`;
  if (tls !== null) writeFileSync(join(directory, 'haproxy.pem'), readFileSync(tls.cert, 'utf8') + readFileSync(tls.key, 'utf8'));
  if (routes > 0) writeFileSync(join(directory, 'routes.map'), Array.from({ length: routes }, (_, n) => `/r/${n}/ upstream\n`).join(''));
  return `
global
  nbthread ${workers}
  maxconn 12000
  no strict-limits
  log stdout format raw local0
defaults
  mode http
  log global
  log-format '{"time":%Ts,"request_id":"%ID","method":"%HM","host":"%[capture.req.hdr(0)]","path":"%HPO","status":%ST,"duration":%Tr,"upstream":"%b","remote":"%ci","bytes_in":%U,"bytes_out":%B}'
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  option forwardfor
  http-reuse always
frontend clients
  bind 127.0.0.1:${port} backlog 4096${bind}
  http-request capture req.hdr(Host) len 64
  unique-id-format %[uuid()]
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto ${tls === null ? 'http' : 'https'}
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-response set-header X-Request-Id %[unique-id]
  ${routes === 0 ? 'default_backend upstream' : `use_backend %[path,map_beg(${directory}/routes.map)]`}
backend upstream
  server one 127.0.0.1:${upstreamPort} pool-max-conn -1 pool-purge-delay 600s
`;
}
