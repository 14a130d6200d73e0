import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderFields } from '../http/header-fields.ts';
import type { UpstreamConfig } from '../model/gateway-config.ts';
import { compileUpstream } from './snapshot/compile-upstream.ts';
import { isCredentialField } from './forward/credential-field.ts';

function upstreamWith(authHeader: string) {
  const config: UpstreamConfig = {
    id: 'up_0123456789abcdef',
    name: 'u',
    base_url: 'http://a.test',
    timeout_ms: 1000,
    max_idle_conns: 1,
    idle_conn_timeout_ms: 1000,
    max_conns: 0,
    auth_type: 'header',
    auth_header: authHeader,
    credential: { kind: 'value', value: 'v' },
    preserve_host: false,
    tls_ca: null,
    tls_server_name: null,
    health_check_path: null,
    health_check_interval_ms: 10_000,
    health_check_timeout_ms: 5_000,
    health_check_status: '200-399',
    enabled: true,
  };
  return compileUpstream(config, () => undefined as never);
}

for (const configured of ['X-API-Key', 'x_api_key', 'X-Backend_Token', 'Authorization', 'Cookie']) {
  test(`a client's ${configured} is the credential's, in any case and with _ for -`, () => {
    const fields = new HeaderFields(10);
    const upstream = upstreamWith(configured);
    for (const sent of [
      configured,
      configured.toUpperCase(),
      configured.toLowerCase(),
      configured.replaceAll('-', '_'),
      configured.replaceAll('_', '-'),
    ]) {
      const bytes = Buffer.from(`${sent}: smuggled\r\n${sent}s: other\r\n\r\n`);
      fields.parse(bytes, 0, bytes.length);
      assert.equal(isCredentialField(fields, 0, upstream), true, sent);
      assert.equal(isCredentialField(fields, 1, upstream), false, `${sent}s`);
    }
  });
}
