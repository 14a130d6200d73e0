import { shellQuote } from '../../components/shell-quote.ts';
import type { UpstreamFields } from './upstream-values.ts';

/** The command that tests an upstream as the form holds it: a saved one with what was changed, or one that is not saved. */
export function testCommand(name: string | undefined, { ...fields }: Partial<UpstreamFields>, path?: string): string {
  const words = ['apigate upstreams test'];
  if (name !== undefined) words.push(shellQuote(name));
  if (fields.base_url !== undefined) words.push(`--url ${shellQuote(fields.base_url)}`);
  if (fields.auth_type !== undefined && (name !== undefined || fields.auth_type !== 'none')) words.push(`--auth-type ${fields.auth_type}`);
  if (typeof fields.auth_header === 'string') words.push(`--auth-header ${shellQuote(fields.auth_header)}`);
  if (fields.auth_value !== undefined) words.push('--auth-value -');
  if (typeof fields.tls_ca === 'string') words.push('--tls-ca ca.pem');
  if (typeof fields.tls_server_name === 'string') words.push(`--tls-server-name ${shellQuote(fields.tls_server_name)}`);
  if (fields.preserve_host === true) words.push('--preserve-host');
  if (path !== undefined) words.push(`--path ${shellQuote(path)}`);
  return words.join(' ');
}
