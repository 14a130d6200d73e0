// Over 300 lines: the cases share one gateway and its files, which each of them replaces.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type tls from 'node:tls';
import { hasOpenssl, TestAuthority } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { useGateway } from '../support/harness.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Gateway, launchGateway, startGateway } from '../support/start-gateway.ts';

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

if (!hasOpenssl()) {
  test('certificates of the HTTPS listener', { skip: 'the openssl command is not installed' }, () => {});
} else {
  const authority = new TestAuthority('Front CA');
  const root = mkdtempSync(join(tmpdir(), 'apigate-certificates-'));
  // As Kubernetes mounts a secret: files that are links through `..data`, itself a link that is swapped.
  const live = join(root, 'live');
  const data = join(live, '..data');
  mkdirSync(live);
  let versions = 0;
  const paths = { cert: join(live, 'tls.crt'), key: join(live, 'tls.key') };
  symlinkSync(join(data, 'tls.crt'), paths.cert);
  symlinkSync(join(data, 'tls.key'), paths.key);
  after(() => {
    authority.remove();
    rmSync(root, { recursive: true, force: true });
  });

  const issue = (): Certificate => authority.issue(['DNS:gateway.test', 'IP:127.0.0.1']);

  /** A new directory takes the place of the old one, in one step. */
  function swap({ cert, key }: Certificate): void {
    const version = join(live, `..version${(versions += 1)}`);
    mkdirSync(version);
    writeFileSync(join(version, 'tls.crt'), cert);
    writeFileSync(join(version, 'tls.key'), key);
    symlinkSync(version, join(live, '..next'));
    renameSync(join(live, '..next'), data);
  }

  let current = issue();
  swap(current);
  const port = await freePort();
  const workers = 2;
  const harness = useGateway({ workers, flags: ['--tls-cert', paths.cert, '--tls-key', paths.key, '--tls-port', String(port)] });

  const connect = (): Promise<RawClient> => RawClient.connect(port, { tls: { ca: authority.ca, servername: 'gateway.test' } });
  const fingerprintOf = ({ cert }: Certificate): string => new X509Certificate(cert).fingerprint256;

  async function handshake(): Promise<string> {
    using client = await connect();
    return (client.socket as tls.TLSSocket).getPeerCertificate().fingerprint256;
  }

  /** Many handshakes, so that every worker is among those that answered. */
  async function assertServed(certificate: Certificate): Promise<void> {
    const served = await Promise.all(Array.from({ length: workers * 6 }, () => handshake()));
    assert.deepEqual([...new Set(served)], [fingerprintOf(certificate)]);
  }

  /** Within about two seconds, by every worker. */
  async function followed(certificate: Certificate): Promise<void> {
    const wanted = fingerprintOf(certificate);
    await eventually(async () => (await handshake()) === wanted, 'the new certificate', 2_500);
    await eventually(
      async () => (await Promise.all(Array.from({ length: workers * 6 }, () => handshake()))).every((each) => each === wanted),
      'the new certificate from every worker',
      1_000,
    );
    current = certificate;
  }

  const messages = (level: string): string[] =>
    harness.gateway.lines.filter((line) => line['level'] === level).map((line) => JSON.stringify(line));
  const problems = (): string[] => messages('error').filter((line) => line.includes('certificate'));
  const notices = (): string[] => messages('info').filter((line) => line.includes('the certificate was replaced'));
  const passed = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  describe('C09 replaced files', () => {
    test('C09 by a swapped link, as Kubernetes does it: new handshakes get the new certificate, existing connections go on', async () => {
      await assertServed(current);
      const kept = await Promise.all(Array.from({ length: workers * 4 }, connect));
      for (const client of kept) assert.equal((await client.request('GET')).status, 200);
      const next = issue();
      swap(next);
      await followed(next);
      for (const client of kept) assert.equal((await client.request('GET', { target: '/kept' })).body.toString(), 'GET /kept 0');
      for (const client of kept) client.destroy();
      assert.equal(problems().length, 0);
    });

    test('C09 by rename, the key first and the certificate a moment later: nothing is logged as wrong', async () => {
      const next = issue();
      for (const [path, text] of [
        [paths.key, next.key],
        [paths.cert, next.cert],
      ] as const) {
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
        await passed(100);
      }
      await followed(next);
      assert.deepEqual(problems(), []);
    });

    test('C09 written in place, in pieces', async () => {
      const next = issue();
      writeFileSync(paths.cert, next.cert.slice(0, 300));
      await passed(50);
      writeFileSync(paths.cert, next.cert);
      writeFileSync(paths.key, next.key);
      await followed(next);
      assert.deepEqual(problems(), []);
    });

    test('C09 requests and a download in flight are not disturbed by several replacements', async () => {
      const size = 2_000_000;
      harness.upstream.script = async (_request, connection) => {
        await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        for (let at = 0; at < size; at += 100_000) {
          await connection.write(Buffer.alloc(100_000, 'x'));
          await passed(50);
        }
      };
      using client = await connect();
      const download = client.request('GET');
      let next = current;
      for (let round = 0; round < 4; round += 1) {
        next = issue();
        swapFiles(next);
        await passed(200);
      }
      assert.equal((await download).body.length, size);
      await followed(next);
    });
  });

  function swapFiles({ cert, key }: Certificate): void {
    for (const [path, text] of [
      [paths.cert, cert],
      [paths.key, key],
    ] as const) {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    }
  }

  describe('C09 bad files: the old certificate stays, and one error is logged', () => {
    const bad: readonly [name: string, change: () => void, reason: RegExp][] = [
      ['a certificate that is none', () => writeFileSync(paths.cert, 'not a certificate\n'), /tls\.crt holds no certificate in PEM form/],
      ['a key that does not fit', () => writeFileSync(paths.key, issue().key), /tls\.key does not fit the certificate .*tls\.crt/],
      ['a certificate file that is gone', () => unlinkSync(paths.cert), /tls\.crt cannot be read: ENOENT/],
      ['a link to itself', () => loop(paths.cert), /tls\.crt cannot be read: ELOOP/],
    ];

    for (const [name, change, reason] of bad) {
      test(`C09 ${name}; a good pair that comes later is taken`, async () => {
        const before = problems().length;
        change();
        await eventually(() => problems().length > before, 'an error in the log', 3_000);
        assert.match(problems().at(-1)!, reason);
        assert.match(problems().at(-1)!, /the old one stays/);
        await passed(1_200);
        assert.equal(problems().length, before + 1, 'once, not at every look');
        await assertServed(current);
        const next = issue();
        rmSync(paths.cert, { recursive: true, force: true });
        swapFiles(next);
        await followed(next);
        assert.equal(problems().length, before + 1);
      });
    }

    test('C09 going back to the pair in use is no change', async () => {
      const before = problems().length;
      const replaced = notices().length;
      writeFileSync(paths.key, issue().key);
      await eventually(() => problems().length > before, 'an error in the log', 3_000);
      writeFileSync(paths.key, current.key);
      await passed(1_200);
      assert.equal(notices().length, replaced);
      await assertServed(current);
    });

    test('C09 the log shows nothing of a key', () => {
      assert.doesNotMatch(harness.gateway.output, /BEGIN|PRIVATE KEY-/);
    });
  });

  describe('sessions', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`a session begun with one worker is resumed by every other (${version})`, async () => {
        const options: tls.ConnectionOptions = { ca: authority.ca, servername: 'gateway.test', minVersion: version, maxVersion: version };
        const first = await RawClient.connect(port, { tls: options });
        await first.request('GET');
        const session = (first.socket as tls.TLSSocket).getSession();
        assert.ok(session);
        first.destroy();
        // The kernel spreads connections over the workers by their ports: of 24, some come to each.
        for (let round = 0; round < 24; round += 1) {
          using again = await RawClient.connect(port, { tls: { ...options, session } });
          assert.equal((again.socket as tls.TLSSocket).isSessionReused(), true, `connection ${round}`);
          assert.equal((await again.request('GET')).status, 200);
        }
      });
    }

    test('after a change of the certificate no session of the old one is resumed', async () => {
      const options: tls.ConnectionOptions = { ca: authority.ca, servername: 'gateway.test' };
      const first = await RawClient.connect(port, { tls: options });
      await first.request('GET');
      const session = (first.socket as tls.TLSSocket).getSession();
      first.destroy();
      const next = issue();
      swapFiles(next);
      await followed(next);
      for (let round = 0; round < 12; round += 1) {
        using again = await RawClient.connect(port, { tls: { ...options, session } });
        assert.equal((again.socket as tls.TLSSocket).isSessionReused(), false);
      }
    });
  });

  describe('dates', () => {
    const warnings = (): string[] => messages('warn').filter((line) => line.includes('the certificate of the HTTPS listener'));
    test('a new certificate that ends in under 14 days, or has ended, is warned of once each; a good one is not', async () => {
      assert.deepEqual(warnings(), [], 'none so far');
      const names = ['DNS:gateway.test', 'IP:127.0.0.1'];
      swapFiles(authority.issue(names, 'ending'));
      await eventually(() => warnings().length === 1, 'a warning', 5_000);
      assert.match(warnings()[0]!, /expires in 10 days, on \d{4}-\d\d-\d\dT.*renew it/);
      assert.ok(warnings()[0]!.includes(JSON.stringify(paths.cert)), 'the file is named');
      swapFiles(authority.issue(names, 'expired'));
      await eventually(() => warnings().length === 2, 'another warning', 5_000);
      assert.match(warnings()[1]!, /expired on \d{4}-/);
      const replaced = notices().length;
      const good = issue();
      swapFiles(good);
      // Not asked of a handshake: the one before would fail it.
      await eventually(() => notices().length > replaced, 'a good certificate again', 5_000);
      await followed(good);
      assert.equal(warnings().length, 2);
    });

    test('a certificate that has expired is warned of at the start, and served all the same', async () => {
      const old = authority.issue(['IP:127.0.0.1'], 'expired');
      const gateway = await startGateway({ tls: old.files });
      try {
        const warned = (): boolean => gateway.lines.some((line) => line['level'] === 'warn' && /expired on/.test(JSON.stringify(line)));
        await eventually(warned, 'a warning', 5_000);
      } finally {
        await gateway.stop();
      }
    });
  });

  test('a chain file: the intermediate certificates are sent too', async () => {
    const next = intermediate(authority, root);
    swapFiles(next);
    // The client knows the root only.
    await followed(next);
    using client = await connect();
    const issuer = (client.socket as tls.TLSSocket).getPeerCertificate(true).issuerCertificate;
    assert.equal(issuer.subject.CN, 'Intermediate');
    assert.equal((await client.request('GET')).status, 200);
  });

  describe('at the start', () => {
    let files: string;
    let good: Certificate;
    before(() => {
      files = join(root, 'start');
      mkdirSync(files);
      good = issue();
      writeFileSync(join(files, 'cert'), good.cert);
      writeFileSync(join(files, 'key'), good.key);
      writeFileSync(join(files, 'other-key'), issue().key);
      writeFileSync(join(files, 'text'), 'hello\n');
      writeFileSync(join(files, 'encrypted-key'), encrypted(good.key));
      writeFileSync(
        join(files, 'old-encrypted-key'),
        '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n',
      );
    });

    const refusals: readonly [cert: string, key: string, message: RegExp][] = [
      ['missing', 'key', /start\/missing cannot be read: ENOENT/],
      ['cert', 'missing', /start\/missing cannot be read: ENOENT/],
      ['text', 'key', /start\/text holds no certificate in PEM form/],
      ['cert', 'text', /start\/text holds no private key in PEM form/],
      ['cert', 'other-key', /start\/other-key does not fit the certificate .*start\/cert/],
      ['cert', 'encrypted-key', /start\/encrypted-key is encrypted.*openssl pkey/],
      ['cert', 'old-encrypted-key', /start\/old-encrypted-key is encrypted.*openssl pkey/],
    ];
    for (const [cert, key, message] of refusals) {
      test(`${cert} and ${key}: exit 1 with one clear line`, async () => {
        const gateway = await launchGateway({
          flags: ['--tls-cert', join(files, cert), '--tls-key', join(files, key), '--tls-port', String(await freePort())],
        });
        await ended(gateway);
        assert.equal(gateway.exit, 1);
        assert.match(gateway.stderr, message);
        assert.doesNotMatch(gateway.stderr, /\bat .*\.ts:\d/);
        assert.doesNotMatch(gateway.stderr, /BEGIN/);
        await gateway.stop();
      });
    }
  });

  async function ended(gateway: Gateway): Promise<void> {
    try {
      await eventually(() => gateway.exit !== undefined, 'the exit', 60_000);
    } finally {
      if (gateway.exit === undefined) gateway.process.kill('SIGKILL');
    }
  }

  function encrypted(key: string): string {
    return execFileSync('openssl', ['pkey', '-aes256', '-passout', 'pass:canary'], {
      input: key,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  }

  function loop(path: string): void {
    unlinkSync(path);
    symlinkSync(path, path);
  }
}

/** A certificate signed by an intermediate one, and both in one file. */
function intermediate(authority: TestAuthority, directory: string): Certificate {
  const at = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  writeFileSync(at('int.ext'), 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n');
  writeFileSync(at('leaf.ext'), 'subjectAltName=DNS:gateway.test\nbasicConstraints=CA:FALSE\n');
  openssl('req', ...newKey, '-keyout', at('int.key'), '-out', at('int.csr'), '-subj', '/CN=Intermediate');
  openssl(
    'x509',
    '-req',
    '-in',
    at('int.csr'),
    '-CA',
    authority.caPath,
    '-CAkey',
    join(authority.directory, 'ca.key'),
    '-set_serial',
    '77',
    '-days',
    '9',
    '-extfile',
    at('int.ext'),
    '-out',
    at('int.pem'),
  );
  openssl('req', ...newKey, '-keyout', at('leaf.key'), '-out', at('leaf.csr'), '-subj', '/CN=Leaf');
  openssl(
    'x509',
    '-req',
    '-in',
    at('leaf.csr'),
    '-CA',
    at('int.pem'),
    '-CAkey',
    at('int.key'),
    '-set_serial',
    '78',
    '-days',
    '9',
    '-extfile',
    at('leaf.ext'),
    '-out',
    at('leaf.pem'),
  );
  return { cert: readFileSync(at('leaf.pem'), 'utf8') + readFileSync(at('int.pem'), 'utf8'), key: readFileSync(at('leaf.key'), 'utf8') };
}
