import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AdminClient } from '../../test/support/admin-client.ts';
import { start } from '../measure/programs.ts';
import type { Gateway, Policy } from './gateway.ts';

const root = resolve(import.meta.dirname, '../..');
/** What is run; APIGATE_TEST_ENTRY puts an emitted build in its place, as in the tests. */
const entry = process.env['APIGATE_TEST_ENTRY'] ?? join(root, 'src/main/apigate.ts');
const email = 'bench@example.test';
const password = 'only-for-this-benchmark-1';

/** APIGate as its users start it, routes made over its REST API. `program` is another than this checkout's, to compare with. */
export function apigate(name = 'apigate', program = entry): Gateway {
  return {
    name,
    missing: () => null,
    version: () => (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version,
    supports: () => true,
    // oxlint-disable-next-line typescript/require-await -- others have to wait
    async start({ port, adminPort, directory, cores, workers, tls }) {
      const listen =
        tls === null ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port), '--tls-cert', tls.cert, '--tls-key', tls.key];
      const args = [
        'serve',
        '--host',
        '127.0.0.1',
        ...listen,
        '--database',
        join(directory, 'apigate.db'),
        '--workers',
        String(workers),
        '--log-format',
        'json',
      ];
      // With a listener of its own, the admin API speaks HTTP whatever the traffic does.
      return start(process.execPath, [...execArgv(), program, ...args, '--admin-listen', `127.0.0.1:${adminPort}`], {
        cores,
        cwd: directory,
        env: { APIGATE_ADMIN_EMAIL: email, APIGATE_ADMIN_PASSWORD: password },
      });
    },
    async fill({ adminPort, upstreamPort, websocketPort, routes, policy }) {
      const admin = new AdminClient(adminPort, email, password);
      const upstream = await admin.must('POST', '/upstreams', {
        name: 'upstream',
        base_url: `http://127.0.0.1:${upstreamPort}`,
        max_idle_conns: 2048,
      });
      const steps = policySteps(policy);
      const target = { upstream_id: upstream['id'], auth_required: false };
      const route = (name: string, path: string): Promise<unknown> =>
        admin.must('POST', '/routes', { name, path_pattern: path, ...target, ...steps });
      if (policy === 'websocket') {
        await admin.must('POST', '/upstreams', { name: 'live', base_url: `http://127.0.0.1:${websocketPort}` });
        const live = { name: 'live', path_pattern: '/ws', upstream_id: 'live', protocol: 'websocket', auth_required: false };
        await admin.must('POST', '/routes', live);
      }
      if (routes === 0) await route('all', '/');
      // All in one change.
      const declared = Array.from({ length: routes }, (_, n) => ({ name: `r${n}`, path_pattern: `/r/${n}`, ...target, ...steps }));
      if (routes > 0) await admin.must('POST', '/apply', { routes: declared });
      if (policy !== 'everything') return {};
      const key = await admin.must('POST', '/keys', { name: 'bench', rate_limit_per_minute: 10_000_000 });
      return { 'X-API-Key': String(key['key']) };
    },
    async tail({ adminPort }) {
      const made = await new AdminClient(adminPort, email, password).must('POST', '/tokens', { name: 'tail', scope: 'read' });
      return { Authorization: `Bearer ${String(made['token'])}` };
    },
  };
}

function policySteps(policy: Policy): Readonly<Record<string, unknown>> {
  if (policy === 'mask') return { response_transform: { body: { json: { mask: ['people.email'] } } } };
  if (policy !== 'headers' && policy !== 'everything') return {};
  return {
    auth_required: policy === 'everything',
    request_transform: { headers: { set: { 'X-Client': '${client_ip}' } } },
    response_transform: { headers: { set: { 'X-Served-By': 'bench' } } },
  };
}

/** Flags for node from the tester, to profile it: APIGATE_BENCH_NODE_FLAGS="--cpu-prof". */
function execArgv(): string[] {
  return (process.env['APIGATE_BENCH_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
}
