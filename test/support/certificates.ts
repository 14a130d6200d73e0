import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** With the files they stand in. */
export interface IssuedCertificate extends Certificate {
  readonly files: { readonly cert: string; readonly key: string };
}

/** A certificate authority of its own, made with the openssl command. */
export class TestAuthority {
  readonly directory: string;
  readonly ca: string;
  #serial = 0;

  constructor(name = 'Test CA') {
    this.directory = mkdtempSync(join(tmpdir(), 'apigate-ca-'));
    openssl([
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      this.#path('ca.key'),
      '-out',
      this.#path('ca.pem'),
      '-subj',
      `/CN=${name}`,
      '-days',
      '30',
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      '-addext',
      'keyUsage=critical,keyCertSign,cRLSign',
    ]);
    this.ca = readFileSync(this.#path('ca.pem'), 'utf8');
  }

  /** Issues a certificate for subject alternative names like `DNS:a.test` and `IP:127.0.0.1`. */
  issue(names: readonly string[], validity: 'valid' | 'ending' | 'expired' | 'future' = 'valid'): IssuedCertificate {
    const id = `leaf${(this.#serial += 1)}`;
    writeFileSync(
      this.#path(`${id}.ext`),
      `${names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`}basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n`,
    );
    openssl([
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      this.#path(`${id}.key`),
      '-out',
      this.#path(`${id}.csr`),
      '-subj',
      `/CN=${id}`,
    ]);
    const day = (offset: number): string =>
      new Date(Date.now() + offset * 86_400_000).toISOString().replace(/[-T:]/g, '').slice(0, 14) + 'Z';
    const [from, to] = { valid: [-1, 20], ending: [-1, 10.5], expired: [-20, -10], future: [10, 20] }[validity] as [number, number];
    // `openssl x509 -req` takes no dates before version 3.4; `openssl ca` does.
    writeFileSync(this.#path('index.txt'), '');
    writeFileSync(this.#path('serial'), (0x1000 + this.#serial).toString(16));
    writeFileSync(
      this.#path('ca.cnf'),
      `[ca]\ndefault_ca=d\n[d]\ndir=${this.directory}\ndatabase=${this.#path('index.txt')}\nserial=${this.#path('serial')}\nnew_certs_dir=${this.directory}\ncertificate=${this.#path('ca.pem')}\nprivate_key=${this.#path('ca.key')}\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n`,
    );
    openssl([
      'ca',
      '-batch',
      '-notext',
      '-config',
      this.#path('ca.cnf'),
      '-in',
      this.#path(`${id}.csr`),
      '-out',
      this.#path(`${id}.pem`),
      '-extfile',
      this.#path(`${id}.ext`),
      '-startdate',
      day(from),
      '-enddate',
      day(to),
    ]);
    return this.#read(id);
  }

  /** A certificate that signs itself. */
  selfSigned(names: readonly string[]): IssuedCertificate {
    const id = `self${(this.#serial += 1)}`;
    openssl([
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      this.#path(`${id}.key`),
      '-out',
      this.#path(`${id}.pem`),
      '-subj',
      `/CN=${id}`,
      '-days',
      '30',
      '-addext',
      `subjectAltName=${names.join(',')}`,
    ]);
    return this.#read(id);
  }

  get caPath(): string {
    return this.#path('ca.pem');
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #read(id: string): IssuedCertificate {
    const files = { cert: this.#path(`${id}.pem`), key: this.#path(`${id}.key`) };
    return { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8'), files };
  }

  #path(file: string): string {
    return join(this.directory, file);
  }
}

export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
