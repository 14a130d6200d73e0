// Checks the shape of the code that a reader relies on: which folder may import what, names, sizes. `npm run check:borders`.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix, relative, resolve } from 'node:path';
import { computedSpecifier, isBarrel, readImports, type Import } from './read-imports.ts';

interface Border {
  readonly folder: string;
  readonly holds: string;
  /** Folders or files of ours besides its own; a folder ending in `/*` means the files directly in it. */
  readonly imports: readonly string[];
  /** Only with `import type`. */
  readonly importsTypesOf?: readonly string[];
  /** Packages and Node.js modules that it must not know. */
  readonly never?: readonly string[];
  /** Its own subfolders it may not reach into, and files it may not import in spite of `imports`. */
  readonly except?: readonly string[];
}

const stages = ['listen', 'match', 'admit', 'transform', 'forward', 'reply', 'record'];
const network = ['node:http', 'node:https', 'node:http2', 'node:tls', 'hono', '@hono/node-server'];
const sql = ['node:sqlite', 'kysely'];
const files = ['node:fs', 'node:fs/promises'];

/** Who may import what. The longest folder that holds a file decides; a folder always may import itself. */
export const borders: readonly Border[] = [
  { folder: 'src/main', holds: 'composition: wires planes and threads together', imports: ['src'] },
  {
    folder: 'src/cli',
    holds: 'one file per command group, output, admin client',
    imports: ['src/model', 'src/settings', 'src/errors'],
    // The typed client is made from the admin app's type.
    importsTypesOf: ['src/admin'],
    never: sql,
  },
  {
    folder: 'src/admin',
    holds: 'REST handlers, sessions, tokens, OpenAPI, static UI',
    imports: ['src/control', 'src/model', 'src/errors', 'src/telemetry'],
    never: sql,
  },
  {
    folder: 'src/control',
    holds: 'the use cases of change and of reading; validate, publish',
    // The store's interface, not its implementations.
    imports: ['src/model', 'src/secrets', 'src/errors', 'src/telemetry', 'src/store/store.ts'],
    never: [...network, ...sql],
  },
  { folder: 'src/store', holds: 'store interface, SQLite, migrations', imports: ['src/model', 'src/errors'], never: network },
  { folder: 'src/secrets', holds: 'sealing, key file, rotation, references', imports: ['src/errors'], never: [...network, ...sql] },
  {
    folder: 'src/gateway',
    holds: 'the data plane; handle-exchange.ts, worker.ts and snapshot/ know the stages',
    imports: ['src/http', 'src/model', 'src/errors', 'src/telemetry'],
    never: [...sql, 'hono', '@hono/node-server', 'node:https'],
  },
  ...stages.map((stage): Border => ({
    folder: `src/gateway/${stage}`,
    holds: 'one stage of an exchange; stages do not know one another',
    // What lies directly in src/gateway is shared by the stages: exchange types, structures.
    imports: ['src/http', 'src/model', 'src/errors', 'src/telemetry', 'src/gateway/*'],
    // The shape of what the snapshot compiled for them.
    importsTypesOf: ['src/gateway/snapshot'],
    except: ['src/gateway/handle-exchange.ts', 'src/gateway/worker.ts'],
    never: [...sql, 'hono', '@hono/node-server', 'node:https'],
  })),
  {
    folder: 'src/http',
    holds: 'the HTTP/1.1 core',
    imports: ['src/errors'],
    never: [...sql, ...network.filter((name) => name !== 'node:tls')],
  },
  { folder: 'src/model', holds: 'the vocabulary', imports: ['src/errors'], never: [...sql, ...network, ...files, 'node:child_process'] },
  { folder: 'src/settings', holds: 'flags, environment, file; read once', imports: ['src/errors'], never: [...sql, ...network] },
  { folder: 'src/telemetry', holds: 'logger, shared counters, metrics text, traces', imports: ['src/errors'], never: sql },
  { folder: 'src/errors', holds: 'GatewayError and the code catalogue', imports: [], never: [...sql, ...network, ...files] },
  // Of the vocabulary only what is plain values: the defaults that a form begins with. The live stream's data have types of the model's.
  { folder: 'ui', holds: 'the admin UI', imports: ['src/model/upstream.ts'], importsTypesOf: ['src/admin', 'src/model'] },
  // Tests of the whole talk to the whole: over sockets, through the command. Values that they compare with are vocabulary.
  { folder: 'test', holds: 'end to end, conformance, faults, contracts', imports: ['src/main', 'src/errors', 'src/model'] },
  // One suite, run on every implementation of an interface.
  { folder: 'test/contract', holds: 'contract suites', imports: ['src/main', 'src/errors', 'src/model', 'src/store', 'test'] },
  // Benchmarks of parts go where the part is.
  { folder: 'bench', holds: 'scenarios, peers, runner', imports: ['src', 'test/support'] },
];

/** Tests beside their source, and what they share. */
const unitTest = /(\.test|-fixture)\.tsx?$/;
/** They may also use the real thing below: no fakes where SQLite or a key file will do. */
const unitTestImports = ['src/store', 'src/secrets', 'src/model', 'src/errors', 'src/settings', 'test/support'];

const longFile = 300;
const emptyNames = ['utils', 'util', 'helpers', 'helper', 'common', 'manager', 'misc', 'shared'];
const checkedFolders = ['src', 'ui', 'test', 'bench', 'scripts', 'examples'];
const leftOutFolders = ['node_modules', 'dist', 'fixtures', 'peers'];

/** One broken rule: where, and what to do. */
export interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

/** Checks the tree under `root`; an empty list means that all is well. */
export function checkBorders(root: string): Finding[] {
  return checkedFolders
    .flatMap((folder) => sourceFiles(root, folder))
    .flatMap((file) => {
      const source = readFileSync(join(root, file), 'utf8');
      return [...checkName(file), ...checkLength(file, source), ...checkBarrel(file, source), ...checkImports(root, file, source)];
    });
}

function checkName(file: string): Finding[] {
  const findings: Finding[] = [];
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|bench|config|d))*\.(ts|tsx|mjs)$/.test(basename(file)))
    findings.push({ file, message: 'file names are kebab-case' });
  const empty = file
    .replace(/\.[^/]*$/, '')
    .split('/')
    .find((part) => emptyNames.includes(part));
  if (empty !== undefined) findings.push({ file, message: `"${empty}" says nothing: name it for what it holds` });
  return findings;
}

function checkLength(file: string, source: string): Finding[] {
  const lines = source.split('\n');
  const reason = /^(?:\/\/|\/\*+)\s*(\S.{19,})/.test(lines[0] ?? '');
  return lines.length - 1 > longFile && !reason
    ? [{ file, line: 1, message: `${lines.length - 1} lines: past ${longFile} the first line is a comment that says why` }]
    : [];
}

function checkBarrel(file: string, source: string): Finding[] {
  if (/^index\.(ts|tsx|mjs)$/.test(basename(file))) return [{ file, message: 'no index files: name a file for its main export' }];
  return isBarrel(source) ? [{ file, message: 'no barrels: import from the file that defines it' }] : [];
}

function checkImports(root: string, file: string, source: string): Finding[] {
  const border = borderOf(file);
  if (border === undefined) return [];
  const isTest = unitTest.test(file);
  return readImports(source).flatMap((one) => {
    const message = one.specifier.startsWith('.') ? checkOwn(root, file, border, one, isTest) : checkForeign(border, one, isTest);
    return message === undefined ? [] : [{ file, line: one.line, message }];
  });
}

function checkOwn(root: string, file: string, border: Border, one: Import, isTest: boolean): string | undefined {
  const target = posix.join(posix.dirname(file), one.specifier);
  if (!existsSync(join(root, target))) return `imports ${target}, which does not exist`;
  if (target.startsWith('..')) return `imports ${one.specifier} from outside the project`;
  // A test or benchmark may use a fixture, and a test be another one once more under other circumstances (over TLS, say).
  const mayUse = (isTest && target.startsWith('test/')) || ((isTest || file.startsWith('bench/')) && target.includes('-fixture.'));
  if (unitTest.test(target) && !mayUse) return `imports ${target}, which is for tests`;
  if (isTest && unitTestImports.some((allowed) => isWithin(target, allowed))) return undefined;
  if (!target.startsWith('src/') && !target.startsWith('test/')) return undefined;
  const allowed = [border.folder, ...border.imports, ...(one.typeOnly ? (border.importsTypesOf ?? []) : [])];
  if (allowed.some((place) => isWithin(target, place)) && !(border.except ?? []).includes(target)) return undefined;
  const may = border.imports.length === 0 ? 'nothing of ours' : border.imports.join(', ');
  const types = border.importsTypesOf === undefined ? '' : `; types also of ${border.importsTypesOf.join(', ')}`;
  return `${border.folder} may not import ${target} (it may: ${may}${types})`;
}

function checkForeign(border: Border, one: Import, isTest: boolean): string | undefined {
  if (one.specifier === computedSpecifier)
    return border.folder.startsWith('src') && !isTest
      ? 'imports something computed: write the path out, so that borders can be checked'
      : undefined;
  if (isTest) return undefined;
  const name = border.never?.find((never) => one.specifier === never || one.specifier.startsWith(`${never}/`));
  return name === undefined ? undefined : `${border.folder} may not know ${name}`;
}

function borderOf(file: string): Border | undefined {
  return borders.filter((border) => isWithin(file, border.folder)).sort((a, b) => b.folder.length - a.folder.length)[0];
}

function isWithin(file: string, place: string): boolean {
  if (place.endsWith('/*')) return dirname(file) === place.slice(0, -2);
  return file === place || file.startsWith(`${place}/`);
}

function sourceFiles(root: string, folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !file.split('/').some((part) => leftOutFolders.includes(part)))
    .sort();
}

if (import.meta.main) {
  const findings = checkBorders(resolve(import.meta.dirname, '..'));
  for (const { file, line, message } of findings) console.error(`${file}${line === undefined ? '' : `:${line}`}: ${message}`);
  if (findings.length > 0) {
    console.error(
      `\n${findings.length} broken ${findings.length === 1 ? 'border' : 'borders'}; the table is at the top of scripts/check-borders.ts.`,
    );
    process.exitCode = 1;
  }
}
