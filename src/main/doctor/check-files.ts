import { X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { broken, type DoctorFinding, fine, warning } from '../../model/doctor-finding.ts';
import { keyFilePath, readKeyFile } from '../../secrets/key-file.ts';
import { parseSecretKeys, type SecretKey } from '../../secrets/secret-key.ts';
import type { Settings } from '../../settings/settings.ts';
import { type DatabaseInspection, inspectSqlite } from '../../store/inspect-sqlite.ts';
import { readTlsFiles, type TlsPaths } from '../tls-files.ts';

/** Certificates that end sooner than this are worth a warning, in days. */
const soon = 21;
const day = 86_400_000;

/** Certificate and key of the gateway's own HTTPS listener. */
export function* checkTlsFiles(paths: TlsPaths, now: number): Generator<DoctorFinding> {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readTlsFiles(paths).cert);
  } catch (error) {
    yield broken(
      'HTTPS certificate',
      (error as Error).message,
      'mend tls_cert and tls_key (APIGATE_TLS_CERT, APIGATE_TLS_KEY): the gateway does not start like this',
    );
    return;
  }
  const until = Date.parse(certificate.validTo);
  const from = Date.parse(certificate.validFrom);
  const left = Math.floor((until - now) / day);
  const renew = `renew ${paths.cert}; a running gateway takes the new one by itself`;
  if (until <= now) yield broken('HTTPS certificate', `it expired on ${dayOf(until)}`, renew);
  else if (from > now)
    yield broken('HTTPS certificate', `it is not valid before ${dayOf(from)}`, 'check the clock, or use a certificate that is valid now');
  else if (left < soon) yield warning('HTTPS certificate', `it expires in ${left} days, on ${dayOf(until)}`, renew);
  else yield fine('HTTPS certificate', `valid until ${dayOf(until)}`);
  const { mode } = statSync(paths.key);
  if ((mode & 0o007) !== 0 && process.platform !== 'win32')
    yield warning('HTTPS key', `everybody on this machine may read ${paths.key} (mode ${octal(mode)})`, `chmod 600 ${paths.key}`);
}

export interface DatabaseFindings {
  readonly findings: readonly DoctorFinding[];
  /** undefined where there is no database, or none that can be used. */
  readonly database: DatabaseInspection | undefined;
  /** Whether the rest may be read from it. */
  readonly isUsable: boolean;
}

/** The database file: there, ours, sound, of this program's schema, and nobody else's to read. */
export async function checkDatabase(path: string): Promise<DatabaseFindings> {
  const check = 'database';
  let database: DatabaseInspection | undefined;
  try {
    database = await inspectSqlite(path);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const finding = broken(
      check,
      text.replace(/\.$/, ''),
      'name another file with --database (APIGATE_DATABASE_DSN), mend its permissions, or restore a backup',
    );
    return { findings: [finding], database: undefined, isUsable: false };
  }
  if (database === undefined) return { findings: [noDatabase(path)], database, isUsable: false };
  const findings: DoctorFinding[] = [];
  const { damage, schemaVersion, newestSchema, mode } = database;
  if (damage.length > 0)
    findings.push(
      broken(check, `${path} is damaged: ${damage.join('; ')}`, 'stop the gateway, keep a copy of the file, and restore a backup'),
    );
  else if (schemaVersion > newestSchema)
    findings.push(
      broken(
        check,
        `${path} has schema version ${schemaVersion}, but this APIGate knows versions up to ${newestSchema}`,
        'run a newer APIGate, or restore a backup from before the upgrade',
      ),
    );
  else if (schemaVersion < newestSchema)
    findings.push(
      warning(
        check,
        `${path} has schema version ${schemaVersion}, older than this APIGate's ${newestSchema}`,
        'make a backup; the next start of the gateway brings it up to date',
      ),
    );
  else findings.push(fine(check, `${path} is sound (schema version ${schemaVersion})`));
  if ((mode & 0o077) !== 0 && process.platform !== 'win32')
    findings.push(warning(check, `others on this machine may open ${path} (mode ${octal(mode)})`, `chmod 600 ${path}`));
  const unwritable = unwritablePart(path);
  if (unwritable !== undefined)
    findings.push(
      broken(
        check,
        `${unwritable} cannot be written by this user`,
        'run the gateway as the user who owns it, or give that user the right to write',
      ),
    );
  return { findings, database, isUsable: damage.length === 0 && schemaVersion === newestSchema };
}

/** A secret key that is there before the database is, which then must be right in itself. */
export function checkKeyAlone(settings: Settings): DoctorFinding | undefined {
  const check = 'secret key';
  const { secretKey } = settings.secrets;
  if (secretKey !== null) {
    const parsed = parseSecretKeys(secretKey);
    return parsed.ok
      ? fine(check, `${keyIds(parsed.value)} given in APIGATE_SECRET_KEY`)
      : broken(check, `APIGATE_SECRET_KEY ${parsed.message}`, 'make one: openssl rand -hex 32');
  }
  const file = readKeyFile(keyFilePath(settings.database.path));
  if (file === undefined) return undefined;
  return file.ok ? fine(check, `${keyIds(file.value)} in ${keyFilePath(settings.database.path)}`) : keyProblem(file.message);
}

function keyIds(keys: readonly SecretKey[]): string {
  const ids = keys.map(({ id }) => id).join(', ');
  return keys.length === 1 ? `key ${ids} is` : `keys ${ids} are`;
}

/** What stands in the way of reading secrets; `message` says what is wrong, and where there is one sentence more, what to do. */
export function keyProblem(message: string): DoctorFinding {
  const [, found = message, mend] = /^(.*?)[.:] ((?:Make it|start the|set APIGATE).*)$/s.exec(message) ?? [];
  return broken(
    'secret key',
    found.replace(/\.$/, ''),
    mend ?? 'give the key that this database was made with, from your backup: without it, stored credentials cannot be read',
  );
}

function noDatabase(path: string): DoctorFinding {
  const directory = dirname(path);
  if (!existsSync(directory))
    return broken(
      'database',
      `there is none at ${path}, and the directory ${directory} does not exist`,
      `mkdir -p ${directory}, or name another place with --database`,
    );
  try {
    accessSync(directory, constants.W_OK);
  } catch {
    return broken(
      'database',
      `there is none at ${path}, and this user may not make one there`,
      'give the right to write, or name another place with --database',
    );
  }
  return fine('database', `there is none at ${path} yet; the first start of the gateway makes it`);
}

function unwritablePart(path: string): string | undefined {
  return [path, dirname(path)].find((part) => {
    try {
      accessSync(part, constants.W_OK);
      return false;
    } catch {
      return true;
    }
  });
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
