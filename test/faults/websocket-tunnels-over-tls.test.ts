import { test } from 'node:test';
import { hasOpenssl } from '../support/certificates.ts';

/* The same rules on the HTTPS listener, whose bytes come by another way. */
if (hasOpenssl()) {
  process.env['APIGATE_TEST_TLS'] = '1';
  await import('./websocket-tunnels.test.ts');
} else {
  test('websocket-tunnels over TLS', { skip: 'the openssl command is not installed' }, () => {});
}
