import { upstreamDefaults } from '../../../../src/model/upstream.ts';
import type { Upstream } from '../../api/admin-schema.ts';
import { shellQuote } from '../../components/shell-quote.ts';
import { yamlOf } from '../../components/yaml-of.ts';

/** The fields that a new upstream takes, in the order in which people read them. */
const writable = [
  'name',
  'description',
  'base_url',
  'timeout_ms',
  'max_idle_conns',
  'idle_conn_timeout_ms',
  'max_conns',
  'auth_type',
  'auth_header',
  'preserve_host',
  'tls_ca',
  'tls_server_name',
  'health_check_path',
  'health_check_interval_ms',
  'health_check_timeout_ms',
  'health_check_status',
  'enabled',
] as const satisfies readonly (keyof Upstream)[];

type Writable = (typeof writable)[number];

const flags: Readonly<Record<Writable, string>> = {
  name: '--name',
  description: '--description',
  base_url: '--url',
  timeout_ms: '--timeout',
  max_idle_conns: '--max-idle-conns',
  idle_conn_timeout_ms: '--idle-conn-timeout',
  max_conns: '--max-conns',
  auth_type: '--auth-type',
  auth_header: '--auth-header',
  preserve_host: '--preserve-host',
  tls_ca: '--tls-ca',
  tls_server_name: '--tls-server-name',
  health_check_path: '--health-check',
  health_check_interval_ms: '--health-check-interval',
  health_check_timeout_ms: '--health-check-timeout',
  health_check_status: '--health-check-status',
  enabled: '--enabled',
};

/** What differs from the defaults: all that has to be said to make the same upstream elsewhere. Never its credential. */
function saidFields(upstream: Upstream): [Writable, string | number | boolean][] {
  const usual: Readonly<Record<string, unknown>> = upstreamDefaults;
  return writable.flatMap((field): [Writable, string | number | boolean][] => {
    const value = upstream[field];
    return value === null || value === usual[field] ? [] : [[field, value]];
  });
}

/** A command that makes the same upstream; it asks for the credential. */
export function asCli(upstream: Upstream): string {
  const words = saidFields(upstream).map(([field, value]) => {
    if (field === 'enabled') return '--disabled';
    if (field === 'preserve_host') return '--preserve-host';
    return `${flags[field]} ${shellQuote(field === 'tls_ca' ? 'ca.pem' : String(value))}`;
  });
  if (upstream.auth_type !== 'none') words.push('--auth-value -');
  return `apigate upstreams create \\\n  ${words.join(' \\\n  ')}`;
}

/** The same by the REST API; the credential is `$CREDENTIAL`. */
export function asCurl(upstream: Upstream, origin: string): string {
  const fields: Record<string, unknown> = Object.fromEntries(saidFields(upstream));
  const head = [
    `curl -X POST ${origin}/admin/upstreams`,
    '-H "Authorization: Bearer $APIGATE_TOKEN"',
    "-H 'Content-Type: application/json'",
  ];
  const body = JSON.stringify(fields, undefined, 2);
  if (upstream.auth_type === 'none') return [...head, `-d ${singleQuoted(body)}`].join(' \\\n  ');
  // The shell puts the credential in, so that it stands in no history.
  const withValue = `${singleQuoted(body.replace(/\n\}$/, ',\n  "auth_value": "'))}"$CREDENTIAL"${singleQuoted('"\n}')}`;
  return [...head, `-d ${withValue}`].join(' \\\n  ');
}

/** The same for a declarative file. */
export function asYaml(upstream: Upstream): string {
  const fields = Object.fromEntries<unknown>(saidFields(upstream));
  if (upstream.auth_type !== 'none') fields['auth_value'] = '${env.CREDENTIAL}';
  return yamlOf({ version: 1, upstreams: [fields] });
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
