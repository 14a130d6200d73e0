import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import type * as Yaml from 'yaml';
import { nearestName } from './nearest-name.ts';
import { errorCode, problem, type SettingsProblem } from './settings-error.ts';
import { settingKeys, settingRow, type SettingKey } from './settings-table.ts';
import type { SettingOrigin } from './settings.ts';

/** A value as it was given, before it is parsed. */
export interface GivenValue {
  readonly text: string;
  readonly origin: SettingOrigin;
  /** Where relative paths in it begin. */
  readonly base: string;
}

export interface SettingsFile {
  readonly given: ReadonlyMap<SettingKey, GivenValue>;
  readonly warnings: readonly string[];
}

const defaultName = 'apigate.yaml';

/** The settings file: the one named by `--config`, which must exist, else apigate.yaml in `cwd` when it is there. */
export function readSettingsFile(named: string | boolean | undefined, cwd: string, problems: SettingsProblem[]): SettingsFile {
  const nothing = { given: new Map<SettingKey, GivenValue>(), warnings: [] };
  const path = resolve(cwd, typeof named === 'string' && named !== '' ? named : defaultName);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (named === undefined && errorCode(error) === 'ENOENT') return nothing;
    const suggestion = named === undefined ? 'make it readable, or move it away' : 'give the path of a settings file';
    problems.push(
      problem('config', named === undefined ? path : 'flag --config', `${path} cannot be read (${errorCode(error)})`, suggestion),
    );
    return nothing;
  }
  const given = parseSettingsFile(text, path, problems);
  return { given, warnings: exposedSecrets(given, path) };
}

/** Loaded only when there is a file: it takes 40 ms. */
function yaml(): typeof Yaml {
  return createRequire(import.meta.url)('yaml') as typeof Yaml;
}

function parseSettingsFile(text: string, path: string, problems: SettingsProblem[]): Map<SettingKey, GivenValue> {
  const { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } = yaml();
  const given = new Map<SettingKey, GivenValue>();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineOf = (node: unknown): number => {
    const range =
      typeof node === 'object' && node !== null && 'range' in node ? (node.range as readonly number[] | null | undefined) : undefined;
    return range?.[0] === undefined ? 1 : lines.linePos(range[0]).line;
  };
  for (const error of document.errors) {
    problems.push(problem('config', `${path} line ${lines.linePos(error.pos[0]).line}`, `not valid YAML: ${error.message}`, undefined));
  }
  if (document.errors.length > 0 || document.contents === null) return given;
  const scalarText = (node: unknown): string | undefined => {
    if (!isScalar(node)) return undefined;
    return node.value === null ? '' : (node.source ?? JSON.stringify(node.value));
  };
  if (!isMap(document.contents)) {
    if (scalarText(document.contents) !== '')
      problems.push(problem('config', path, 'the settings file is not a list of KEY: VALUE lines', 'write it as in server_port: 8080'));
    return given;
  }
  for (const { key: keyNode, value } of document.contents.items) {
    const name = scalarText(keyNode) ?? String(keyNode);
    const line = lineOf(keyNode);
    const source = `${path} line ${line}`;
    const node = isAlias(value) ? value.resolve(document) : value;
    if (!isSettingKey(name)) {
      const inner = isMap(node) ? node.items.map((item) => scalarText(item.key) ?? '') : [];
      problems.push(problem(name, source, 'no such setting', suggestKey(name, inner)));
      continue;
    }
    const row = settingRow(name);
    let valueText: string | undefined;
    if (isSeq(node)) {
      const items = node.items.map((item) => scalarText(isAlias(item) ? item.resolve(document) : item));
      if (row.list && items.every((item) => item !== undefined && item !== '')) valueText = items.join(',');
    } else {
      valueText = node === null || node === undefined ? '' : scalarText(node);
    }
    if (valueText === undefined) {
      problems.push(
        problem(
          name,
          source,
          isSeq(node) ? 'a list does not fit here' : 'the value is not a single value',
          row.list ? 'write a list of single values' : 'write one value on the line',
        ),
      );
    } else if (valueText !== '' || isSeq(node)) {
      given.set(name, { text: valueText, origin: { kind: 'file', path, line }, base: dirname(path) });
    }
  }
  return given;
}

function isSettingKey(name: string): name is SettingKey {
  return (settingKeys as readonly string[]).includes(name);
}

/** Keys are flat: who wrote `server: {port: 8080}` is told `server_port`. Flag and variable names lead to their key too. */
function suggestKey(name: string, inner: readonly string[]): string | undefined {
  const nested = inner.map((key) => `${name}_${key}`).filter(isSettingKey);
  if (nested.length > 0) return `keys are flat: write ${nested.join(', ')}`;
  const lower = name.toLowerCase().replaceAll('-', '_');
  const byFlag = settingKeys.find((key) => settingRow(key).flag?.replaceAll('-', '_') === lower);
  const meant = byFlag ?? nearestName(lower.replace(/^apigate_/, ''), settingKeys);
  return meant === undefined ? 'see examples/apigate.yaml for all keys' : `did you mean ${meant}?`;
}

function exposedSecrets(given: ReadonlyMap<SettingKey, GivenValue>, path: string): string[] {
  const secrets = [...given.keys()].filter((key) => settingRow(key).secret);
  if (secrets.length === 0 || process.platform === 'win32') return [];
  const mode = statSync(path).mode & 0o777;
  return (mode & 0o077) === 0
    ? []
    : [`${path} holds ${secrets.join(' and ')} and others may open it (mode ${mode.toString(8)}): chmod 600 ${path}`];
}
