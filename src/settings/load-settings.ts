import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { nearestName } from './nearest-name.ts';
import { InvalidValue } from './parse-value.ts';
import { readSettingsFile, type GivenValue } from './read-settings-file.ts';
import { errorCode, problem, SettingsError, type SettingsProblem } from './settings-error.ts';
import { environmentName, settingKeys, settingRow, type SettingKey, type SettingValues } from './settings-table.ts';
import { originText, type SettingOrigin, type Settings } from './settings.ts';

export interface SettingsSources {
  /** By long flag name without dashes (`admin-listen`), and `config`: the path of the settings file. Absent or undefined: not given. */
  readonly flags?: Readonly<Record<string, string | boolean | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether standard output is a terminal; decides the default log format. */
  readonly terminal?: boolean;
}

/** Variables of ours that are no settings: the CLI reads them. */
const clientVariables = ['APIGATE_TOKEN', 'APIGATE_TOKEN_FILE', 'APIGATE_SERVER'];

/**
 * Reads the settings: flag, else environment, else settings file, else default. An empty value counts as not given.
 * Throws SettingsError with everything that is wrong at once.
 */
export function loadSettings(sources: SettingsSources): Settings {
  const problems: SettingsProblem[] = [];
  const { given: fromFile, warnings } = readSettingsFile(sources.flags?.['config'], sources.cwd, problems);
  const fromEnvironment = readEnvironment(sources, problems);
  const fromFlags = readFlags(sources, problems);

  const fallbackContext = { cwd: sources.cwd, terminal: sources.terminal ?? false };
  const values: Partial<Record<SettingKey, unknown>> = {};
  const origins: Partial<Record<SettingKey, SettingOrigin>> = {};
  for (const key of settingKeys) {
    const row = settingRow(key);
    const given = fromFlags.get(key) ?? fromEnvironment.get(key) ?? fromFile.get(key);
    origins[key] = given?.origin ?? { kind: 'default' };
    try {
      values[key] = given === undefined ? row.fallback(fallbackContext) : row.parse(given.text, given);
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      problems.push(problem(key, originText(origins[key]), error.message, error.suggestion));
      values[key] = row.fallback(fallbackContext);
    }
  }

  const all = values as SettingValues;
  const known = origins as Record<SettingKey, SettingOrigin>;
  const broken = new Set(problems.map(({ key }) => key));
  // A value that could not be read has its fallback here, which contradicts nobody.
  problems.push(...contradictions(all, known).flatMap(({ problem, between }) => (between.some((key) => broken.has(key)) ? [] : [problem])));
  if (problems.length > 0) throw new SettingsError(problems);
  return grouped(all, known, warnings);
}

function grouped(values: SettingValues, origins: Record<SettingKey, SettingOrigin>, warnings: readonly string[]): Settings {
  return {
    server: { host: values.server_host, port: values.server_port, workers: values.workers, trustedProxies: values.trusted_proxies },
    tls:
      values.tls_cert === null || values.tls_key === null
        ? null
        : { cert: values.tls_cert, key: values.tls_key, port: values.tls_port ?? 8443 },
    admin: { listen: values.admin_listen, allow: values.admin_allow, hosts: values.admin_hosts, firstEmail: values.admin_email },
    database: { kind: 'sqlite', path: values.database_dsn },
    defaultUpstream: values.upstream_url === null ? null : { url: values.upstream_url, public: values.upstream_public },
    log: { level: values.log_level, format: values.log_format },
    limits: {
      maxConnections: values.max_connections,
      maxBody: values.max_body,
      maxHead: values.max_head,
      maxHeaders: values.max_headers,
      maxTarget: values.max_target,
      websocketIdleMs: values.websocket_idle,
    },
    transform: { bodyLimit: values.transform_body_limit, env: values.transform_env },
    shutdown: { drainTimeoutMs: values.drain_timeout, delayMs: values.shutdown_delay },
    dnsServers: values.dns_servers,
    secrets: { secretKey: values.secret_key, firstAdminPassword: values.admin_password },
    origins,
    warnings,
  };
}

interface Contradiction {
  readonly problem: SettingsProblem;
  /** The keys whose values do not go together. */
  readonly between: readonly SettingKey[];
}

/** Values that are fine alone but not together. */
function contradictions(values: SettingValues, origins: Record<SettingKey, SettingOrigin>): Contradiction[] {
  const found: Contradiction[] = [];
  const add = (key: SettingKey, message: string, suggestion: string, ...others: readonly SettingKey[]): void => {
    found.push({ problem: problem(key, originText(origins[key]), message, suggestion), between: [key, ...others] });
  };
  const tls = values.tls_cert !== null && values.tls_key !== null;
  if (values.tls_cert !== null && values.tls_key === null)
    add('tls_cert', 'a certificate without its private key', 'set tls_key too', 'tls_key');
  if (values.tls_key !== null && values.tls_cert === null)
    add('tls_key', 'a private key without its certificate', 'set tls_cert too', 'tls_cert');
  if (values.tls_port !== null && values.tls_cert === null && values.tls_key === null) {
    add('tls_port', 'HTTPS needs a certificate', 'set tls_cert and tls_key too', 'tls_cert', 'tls_key');
  }
  if (values.server_port === 0 && !tls) {
    add(
      'server_port',
      '0 turns plain HTTP off, and there is no HTTPS listener',
      'give a port from 1 to 65535, or set tls_cert and tls_key',
      'tls_cert',
      'tls_key',
    );
  }
  const tlsPort = tls ? (values.tls_port ?? 8443) : null;
  if (tlsPort !== null && tlsPort === values.server_port) {
    add(
      origins.tls_port.kind === 'default' ? 'server_port' : 'tls_port',
      `HTTP and HTTPS cannot share port ${tlsPort}`,
      'give them different ports',
      'server_port',
      'tls_port',
    );
  }
  const admin = values.admin_listen;
  if (
    admin !== null &&
    admin.port !== 0 &&
    (admin.port === values.server_port || admin.port === tlsPort) &&
    sameAddress(admin.host, values.server_host)
  ) {
    add(
      'admin_listen',
      `port ${admin.port} is the traffic's own`,
      'give another port, or leave it out to share the traffic port',
      'server_host',
      'server_port',
      'tls_port',
    );
  }
  if (values.upstream_public && values.upstream_url === null) {
    add('upstream_public', 'there is no default route to open', 'set upstream_url too, or leave this out', 'upstream_url');
  }
  if (values.admin_email !== null && values.admin_password === null)
    add('admin_email', 'the first admin needs a password', 'set admin_password too', 'admin_password');
  if (values.admin_password !== null && values.admin_email === null)
    add('admin_password', 'the first admin needs an e-mail address', 'set admin_email too', 'admin_email');
  if (values.max_target > values.max_head) {
    const key = origins.max_target.kind === 'default' ? 'max_head' : 'max_target';
    add(
      key,
      `the target (max_target ${values.max_target}) is part of the head (max_head ${values.max_head})`,
      'keep max_target at or below max_head',
      'max_target',
      'max_head',
    );
  }
  return found;
}

function sameAddress(a: string, b: string): boolean {
  const anyAddress = ['0.0.0.0', '::'];
  return a === b || anyAddress.includes(a) || anyAddress.includes(b);
}

function readFlags(sources: SettingsSources, problems: SettingsProblem[]): Map<SettingKey, GivenValue> {
  const keyOfFlag = new Map(
    settingKeys.flatMap((key) => {
      const { flag } = settingRow(key);
      return flag === undefined ? [] : [[flag, key] as const];
    }),
  );
  const given = new Map<SettingKey, GivenValue>();
  for (const [flag, value] of Object.entries(sources.flags ?? {})) {
    if (value === undefined || flag === 'config') continue;
    const key = keyOfFlag.get(flag);
    if (key === undefined) {
      const meant = nearestName(flag, keyOfFlag.keys());
      problems.push(problem(flag, `flag --${flag}`, 'no such setting', meant === undefined ? undefined : `did you mean --${meant}?`));
    } else if (value === '') {
      problems.push(problem(key, `flag --${flag}`, 'the value is empty', 'give a value or leave the flag out'));
    } else {
      given.set(key, { text: String(value), origin: { kind: 'flag', flag }, base: sources.cwd });
    }
  }
  return given;
}

function readEnvironment(sources: SettingsSources, problems: SettingsProblem[]): Map<SettingKey, GivenValue> {
  const given = new Map<SettingKey, GivenValue>();
  const known = new Set(clientVariables);
  for (const key of settingKeys) {
    const name = environmentName(key);
    known.add(name).add(`${name}_FILE`);
    const value = sources.env[name] ?? '';
    const path = sources.env[`${name}_FILE`] ?? '';
    if (value !== '' && path !== '') {
      problems.push(problem(key, `environment ${name}`, `${name}_FILE is set too`, 'set only one of the two'));
    } else if (value !== '') {
      given.set(key, { text: value, origin: { kind: 'environment', name }, base: sources.cwd });
    } else if (path !== '') {
      const text = readValueFile(key, `${name}_FILE`, resolve(sources.cwd, path), problems);
      if (text !== undefined)
        given.set(key, { text, origin: { kind: 'environment', name: `${name}_FILE`, file: path }, base: sources.cwd });
    }
  }
  for (const name of Object.keys(sources.env)) {
    if (!name.startsWith('APIGATE_') || known.has(name) || setByKubernetes(name, sources.env[name] ?? '')) continue;
    const meant = nearestName(name, known);
    problems.push(problem(name, `environment ${name}`, 'no such setting', meant === undefined ? 'unset it' : `did you mean ${meant}?`));
  }
  return given;
}

/** Without one trailing newline, which editors and `echo` leave. */
function readValueFile(key: SettingKey, name: string, path: string, problems: SettingsProblem[]): string | undefined {
  const source = `environment ${name}`;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)).replace(/\r?\n$/, '');
  } catch (error) {
    const reason = error instanceof TypeError ? 'is not UTF-8 text' : `cannot be read (${errorCode(error)})`;
    problems.push(problem(key, source, `the file ${path} ${reason}`, 'give the path of a file that holds the value'));
    return undefined;
  }
  if (text === '') {
    problems.push(problem(key, source, `the file ${path} is empty`, 'write the value into it, or unset the variable'));
    return undefined;
  }
  return text;
}

/** Kubernetes announces every Service to every pod; one named `apigate` or `apigate-…` must not stop the start. */
function setByKubernetes(name: string, value: string): boolean {
  if (/_SERVICE_HOST$|_SERVICE_PORT(?:_\w+)?$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/.test(name)) return true;
  return name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(value);
}
