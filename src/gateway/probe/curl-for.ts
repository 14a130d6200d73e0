import type { UpstreamConfig } from '../../model/gateway-config.ts';
import type { UpstreamTestRequest } from '../../model/upstream-test.ts';

/**
 * Much the same request for a POSIX shell, with $CREDENTIAL in place of the credential; null where curl would need more than
 * that (a CA or a server name of the upstream's own) or where a header's name is not safe between quotes.
 */
export function curlFor(config: UpstreamConfig, request: UpstreamTestRequest, url: string): string | null {
  if (config.tls_ca !== null || config.tls_server_name !== null) return null;
  const credential = credentialOption(config);
  if (credential === null) return null;
  const method = { GET: '', HEAD: '--head ', OPTIONS: '--request OPTIONS ' }[request.method];
  return `curl --include ${method}--max-time ${Math.ceil(request.waitMs / 1000)} ${credential}'${url.replaceAll("'", "'\\''")}'`;
}

function credentialOption({ auth_type: type, auth_header: header }: UpstreamConfig): string | null {
  switch (type) {
    case 'none':
      return '';
    case 'bearer':
      return '--header "Authorization: Bearer $CREDENTIAL" ';
    case 'basic':
      return '--user "$CREDENTIAL" ';
    case 'header':
      return header !== null && /^[\w-]+$/.test(header) ? `--header "${header}: $CREDENTIAL" ` : null;
  }
}
