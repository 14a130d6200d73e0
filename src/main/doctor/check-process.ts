import { existsSync, readFileSync, statfsSync, accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { getCACertificates } from 'node:tls';
import { broken, type DoctorFinding, fine, skipped, warning } from '../../model/doctor-finding.ts';
import { loadDefaultTrust } from '../../gateway/forward/tls-trust.ts';

/** The newest Node.js that was known when this version was made; a test keeps it the one that the set-up brings. */
export const newestKnownNode = '24.21.0';

const packageFile = new URL('../../../package.json', import.meta.url);

/** `running` is a version such as 24.15.0. */
export function checkNode(running: string): DoctorFinding {
  const { engines } = JSON.parse(readFileSync(packageFile, 'utf8')) as { engines: { node: string } };
  const oldest = engines.node.replace(/^>=\s*/, '');
  const install = `install Node.js ${newestKnownNode} or newer`;
  if (isOlder(running, oldest)) return broken('Node.js', `version ${running} is too old: APIGate needs ${oldest} or newer`, install);
  if (isOlder(running, newestKnownNode))
    return warning('Node.js', `version ${running} works, but misses the security fixes up to ${newestKnownNode}`, install);
  return fine('Node.js', `version ${running}`);
}

/** Certificates of the system's store and of Node's own bundle, for upstreams without a tls_ca. */
export function* checkTrust(env: Readonly<Record<string, string | undefined>>): Generator<DoctorFinding> {
  for (const name of ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS']) {
    const path = env[name] ?? '';
    if (path !== '' && !isReadable(path))
      yield broken(
        'trust store',
        `${name} names ${path}, which cannot be read`,
        `give the path of a file that can be read, or unset ${name}`,
      );
  }
  let system = 0;
  try {
    // Many stores hold the same certificate twice, in a file of its own and in a bundle.
    system = new Set(getCACertificates('system')).size;
  } catch (error) {
    yield warning(
      'trust store',
      `the operating system's store cannot be read: ${(error as Error).message}`,
      'only the public CAs that Node.js brings are trusted; install the ca-certificates package',
    );
    return;
  }
  const all = loadDefaultTrust();
  if (system === 0)
    yield warning(
      'trust store',
      `the operating system's store has no certificates; ${all} public ones that Node.js brings are trusted`,
      'install the ca-certificates package, if upstreams have certificates of CAs of your own',
    );
  else yield fine('trust store', `${all} CA certificates are trusted, ${system} of them in the operating system's store`);
}

/** The limit of the shell that this runs in: a gateway started otherwise may have another one. */
export function checkOpenFiles(maxConnections: number, limits = readLimits()): DoctorFinding {
  const limit = limits === undefined ? undefined : /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits)?.[2];
  if (limit === undefined) return skipped('open files', 'the limit can be read on Linux only');
  // One for the client, one for the upstream; and some for the database, log, workers and listeners.
  const needed = maxConnections * 2 + 256;
  if (limit === 'unlimited' || Number(limit) >= needed)
    return fine('open files', `at most ${limit}, enough for ${maxConnections} client connections`);
  const fits = Math.max(1, Math.floor((Number(limit) - 256) / 2));
  return warning(
    'open files',
    `at most ${limit}, but ${maxConnections} client connections (APIGATE_MAX_CONNECTIONS) may take ${needed}`,
    `raise the limit (ulimit -n ${needed}, or LimitNOFILE=${needed} in a systemd unit), or set APIGATE_MAX_CONNECTIONS to ${fits}`,
  );
}

const mebibyte = 1024 * 1024;
const little = 512 * mebibyte;
const tooLittle = 32 * mebibyte;

/** Room where the database lies. */
export function checkDisk(databasePath: string): DoctorFinding {
  const directory = dirname(databasePath);
  if (!existsSync(directory)) return skipped('disk space', `${directory} does not exist`);
  const { bavail, bsize, files, ffree } = statfsSync(directory);
  return diskFinding(directory, bavail * bsize, files > 0 && ffree === 0);
}

/** `free` in bytes. */
export function diskFinding(directory: string, free: number, isOutOfFiles: boolean): DoctorFinding {
  const amount = free >= 1024 * mebibyte ? `${(free / 1024 / mebibyte).toFixed(1)} GiB` : `${Math.floor(free / mebibyte)} MiB`;
  const mend = `make room on the disk that holds ${directory}, or move the database`;
  if (isOutOfFiles) return broken('disk space', `the disk of ${directory} takes no more files`, mend);
  if (free < tooLittle) return broken('disk space', `${amount} are left for ${directory}: changes will soon fail`, mend);
  if (free < little) return warning('disk space', `${amount} are left for ${directory}`, mend);
  return fine('disk space', `${amount} are free`);
}

const minute = 60_000;

/** `newestChange` is what the database's youngest row says, `gatewayNow` what a running gateway says; milliseconds since the epoch. */
export function checkClock(now: number, newestChange: number | null, gatewayNow: number | null): DoctorFinding {
  const mend = 'set the clock, best with NTP: expiry of keys, tokens, sessions and certificates depends on it';
  if (now < Date.parse('2026-01-01T00:00:00Z'))
    return broken('clock', `this machine says it is ${dayOf(now)}, before this version of APIGate was made`, mend);
  if (newestChange !== null && newestChange > now + minute)
    return warning(
      'clock',
      `the last change in the database was made ${spanOf(newestChange - now)} in the future, says this machine's clock`,
      mend,
    );
  // A Date has no fractions of a second, and was made a moment ago.
  if (gatewayNow !== null && Math.abs(gatewayNow - now) > 5_000)
    return warning(
      'clock',
      `the gateway's clock is ${spanOf(Math.abs(gatewayNow - now))} ${gatewayNow > now ? 'ahead of' : 'behind'} this machine's`,
      mend,
    );
  return fine('clock', new Date(now).toISOString().replace(/\.\d+/, ''));
}

function spanOf(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200
    ? `${Math.round(seconds / 60)} min`
    : seconds < 172_800
      ? `${Math.round(seconds / 3600)} h`
      : `${Math.round(seconds / 86_400)} days`;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)));
  for (let part = 0; part < 3; part++) {
    const difference = (a![part] ?? 0) - (b![part] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function readLimits(): string | undefined {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return undefined;
  }
}
