import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { foreignProgram } from '../../test/support/foreign-program.ts';
import { start } from '../measure/programs.ts';
import type { Gateway, GatewaySetup } from './gateway.ts';

/** Caddy with everything off that does not proxy or log. */
export const caddy: Gateway = {
  name: 'caddy',
  missing: () => (foreignProgram('caddy') === undefined ? 'Caddy: apt-get install caddy' : null),
  version: () => spawnSync(foreignProgram('caddy')!, ['version'], { encoding: 'utf8' }).stdout.trim().split(' ')[0] ?? '',
  // It goes through its routes one after the other: ten thousand would be a comparison with nobody's set-up.
  supports: ({ routes, policy }) => policy === 'none' && routes === 0,
  // oxlint-disable-next-line typescript/require-await -- others have to wait
  async start(setup) {
    const file = join(setup.directory, 'Caddyfile');
    writeFileSync(file, configuration(setup));
    return start('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
      cores: setup.cores,
      env: { XDG_DATA_HOME: setup.directory, XDG_CONFIG_HOME: setup.directory, GOMAXPROCS: String(setup.workers) },
    });
  },
};

function configuration({ port, upstreamPort, tls }: GatewaySetup): string {
  return `
{
  admin off
  auto_https off
  grace_period 1s
  log {
    level ERROR
  }
  servers {
    protocols h1
    timeouts {
      idle 600s
    }
  }
}
${tls === null ? 'http' : 'https'}://:${port} {
  bind 127.0.0.1
  ${tls === null ? '' : `tls ${tls.cert} ${tls.key}`}
  log {
    output stdout
    format json
  }
  header X-Request-Id {http.request.uuid}
  reverse_proxy 127.0.0.1:${upstreamPort} {
    header_up X-Request-Id {http.request.uuid}
    transport http {
      keepalive 600s
      keepalive_idle_conns 2048
      keepalive_idle_conns_per_host 2048
      compression off
    }
  }
}
`;
}
