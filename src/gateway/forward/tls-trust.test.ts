import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { checkTlsCa, classifyTlsFailure, loadDefaultTrust, secureContextFor, tlsFailureReason } from './tls-trust.ts';

/** Certificates as they go wrong in the field, made by openssl. */
let directory = '';
const read = (file: string): string => readFileSync(join(directory, file), 'utf8');

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
}

function makeCa(name: string): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    '-days',
    '30',
    '-subj',
    `/CN=Test ${name}`,
    '-addext',
    'keyUsage=critical,keyCertSign',
  );
}

function makeLeaf(
  name: string,
  ca: string,
  altNames: string,
  dates: readonly [start: string, end: string] | null = null,
  extra = '',
): void {
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    '/CN=leaf',
  );
  writeFileSync(join(directory, `${name}.ext`), `subjectAltName=${altNames}\n${extra}`);
  if (dates === null) {
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${ca}.pem`,
      '-CAkey',
      `${ca}.key`,
      '-CAcreateserial',
      '-out',
      `${name}.pem`,
      '-extfile',
      `${name}.ext`,
      '-days',
      '30',
    );
    return;
  }
  // Older openssl sets dates through its "ca" command only.
  const settings =
    '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial.txt\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n';
  writeFileSync(join(directory, 'ca.cnf'), settings);
  writeFileSync(join(directory, 'index.txt'), '');
  writeFileSync(join(directory, 'serial.txt'), '01\n');
  openssl(
    'ca',
    '-batch',
    '-config',
    'ca.cnf',
    '-cert',
    `${ca}.pem`,
    '-keyfile',
    `${ca}.key`,
    '-in',
    `${name}.csr`,
    '-out',
    `${name}.pem`,
    '-notext',
    '-extfile',
    `${name}.ext`,
    '-startdate',
    dates[0],
    '-enddate',
    dates[1],
  );
}

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
})();

before(() => {
  if (!hasOpenssl) return;
  directory = mkdtempSync(join(tmpdir(), 'apigate-tls-'));
  makeCa('ca');
  makeCa('other-ca');
  makeLeaf('good', 'ca', 'DNS:localhost,IP:127.0.0.1');
  makeLeaf('wrong-name', 'ca', 'DNS:elsewhere.test,DNS:127.0.0.1');
  makeLeaf('expired', 'ca', 'DNS:localhost', ['20200101000000Z', '20200201000000Z']);
  makeLeaf('early', 'ca', 'DNS:localhost', ['20900101000000Z', '20910101000000Z']);
  makeLeaf('client-only', 'ca', 'DNS:localhost', null, 'extendedKeyUsage=clientAuth\n');
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'self.key',
    '-out',
    'self.pem',
    '-days',
    '30',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
  );
});

after(() => {
  if (directory !== '') rmSync(directory, { recursive: true });
});

/** The error a connection ends in, or null when it is verified. */
async function connect(port: number, tlsCa: string | null, serverName = 'localhost'): Promise<Error | null> {
  const socket = tls.connect({
    host: '127.0.0.1',
    port,
    secureContext: secureContextFor(tlsCa),
    servername: net.isIP(serverName) === 0 ? serverName : '',
    checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(serverName, certificate),
    rejectUnauthorized: true,
  });
  const error = await new Promise<Error | null>((resolve) => socket.once('secureConnect', () => resolve(null)).once('error', resolve));
  socket.destroy();
  return error;
}

async function withServer<T>(server: net.Server, use: (port: number) => Promise<T>): Promise<T> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use((server.address() as net.AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

function tlsServer(name: string, options: tls.TlsOptions = {}): tls.Server {
  const server = tls.createServer({ cert: read(`${name}.pem`), key: read(`${name}.key`), ...options }, (socket) =>
    socket.on('error', () => {}),
  );
  return server.on('tlsClientError', () => {});
}

describe('against real certificates', { skip: hasOpenssl ? false : 'openssl is not installed' }, () => {
  test('a certificate of the configured CA is verified, by name and by address', async () => {
    await withServer(tlsServer('good'), async (port) => {
      assert.equal(await connect(port, read('ca.pem')), null);
      assert.equal(await connect(port, read('ca.pem'), '127.0.0.1'), null);
      assert.equal(await connect(port, `${read('other-ca.pem')}\n${read('ca.pem')}`), null);
    });
  });

  const failures: [string, string, string, string, RegExp][] = [
    ['good', 'other-ca', 'localhost', 'upstream_tls_untrusted', /unknown authority/],
    ['self', 'ca', 'localhost', 'upstream_tls_untrusted', /unknown authority/],
    ['client-only', 'ca', 'localhost', 'upstream_tls_untrusted', /not trusted: .*purpose/],
    ['wrong-name', 'ca', 'localhost', 'upstream_tls_name_mismatch', /another name/],
    // An address is compared with IP entries only (RFC 9110 section 4.3.5), even where a DNS entry spells it.
    ['wrong-name', 'ca', '127.0.0.1', 'upstream_tls_name_mismatch', /another name/],
    ['good', 'ca', 'sub.localhost', 'upstream_tls_name_mismatch', /another name/],
    ['expired', 'ca', 'localhost', 'upstream_tls_expired', /has expired/],
    ['early', 'ca', 'localhost', 'upstream_tls_expired', /not valid yet/],
  ];
  for (const [certificate, ca, name, code, words] of failures) {
    test(`${certificate} certificate, trusting ${ca}, for ${name}: ${code}`, async () => {
      await withServer(tlsServer(certificate), async (port) => {
        const error = await connect(port, read(`${ca}.pem`), name);
        assert.ok(error !== null);
        assert.equal(classifyTlsFailure(error), code);
        assert.match(tlsFailureReason(error), words);
      });
    });
  }

  test('a private CA is not trusted by default', async () => {
    await withServer(tlsServer('good'), async (port) => {
      const error = await connect(port, null);
      assert.equal(error === null ? null : classifyTlsFailure(error), 'upstream_tls_untrusted');
    });
  });

  test('old protocol versions, plain text and a hang-up are failed handshakes', async () => {
    const old = tlsServer('good', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' });
    const plain = net.createServer((socket) =>
      socket.on('error', () => {}).on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    const closing = net.createServer((socket) => socket.on('error', () => {}).once('data', () => socket.destroy()));
    for (const [server, words] of [
      [old, /older than TLS 1.2/],
      [plain, /does not speak TLS/],
      [closing, /closed the connection/],
    ] as const) {
      await withServer(server, async (port) => {
        const error = await connect(port, read('ca.pem'));
        assert.ok(error !== null);
        assert.equal(classifyTlsFailure(error), 'upstream_tls_failed');
        assert.match(tlsFailureReason(error), words);
      });
    }
  });

  test('equal trust shares one context', () => {
    assert.equal(secureContextFor(read('ca.pem')), secureContextFor(read('ca.pem')));
    assert.notEqual(secureContextFor(read('ca.pem')), secureContextFor(read('other-ca.pem')));
    assert.equal(secureContextFor(null), secureContextFor(null));
  });

  test('a tls_ca that holds no readable certificate is refused instead of trusting something else', () => {
    assert.equal(checkTlsCa(read('ca.pem')), null);
    const broken = read('ca.pem').replace(/\n(.{20})/, '\nAAAAAAAAAAAAAAAAAAAA');
    const cases: [string, RegExp][] = [
      ['', /PEM/],
      ['hello', /PEM/],
      [read('good.key') + read('ca.pem'), /private key/],
      [read('ca.pem') + broken, /certificate 2 of 2/],
    ];
    for (const [pem, words] of cases) {
      assert.match(checkTlsCa(pem) ?? '', words);
      assert.throws(() => secureContextFor(pem), /tls_ca/);
    }
  });
});

test("the default trust is Node's bundle and the system's store together", () => {
  const count = loadDefaultTrust();
  assert.ok(count >= tls.rootCertificates.length);
  const plain = (pem: string): string => pem.replaceAll(/\s/g, '');
  const trusted = new Set(tls.getCACertificates('default').map(plain));
  for (const certificate of tls.getCACertificates('system')) assert.ok(trusted.has(plain(certificate)));
  for (const certificate of tls.rootCertificates) assert.ok(trusted.has(plain(certificate)));
  const times: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const start = performance.now();
    assert.equal(loadDefaultTrust(), count);
    times.push(performance.now() - start);
  }
  assert.ok(Math.min(...times) < 5, 'read once');
});
