import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { describeSettings } from './describe-settings.ts';
import { loadSettings } from './load-settings.ts';
import { environmentName, settingKeys, settingRow } from './settings-table.ts';
import { SettingsError } from './settings-error.ts';

const path = fileURLToPath(new URL('../../examples/apigate.yaml', import.meta.url));
const text = readFileSync(path, 'utf8');

it('the example loads, and what it says is the default', () => {
  const cwd = '/srv';
  const values = (flags: Record<string, string>): unknown =>
    describeSettings(loadSettings({ flags, env: {}, cwd })).map(({ key, value }) => [
      key,
      key === 'database_dsn' ? String(value).replace(/.*\//, '') : value,
    ]);
  assert.deepEqual(values({ config: path }), values({}));
});

it('the example has every key, and each commented one loads too', () => {
  const commented = [...text.matchAll(/^# ([a-z_]+): (\S.*?)(?:[ \t]+#.*)?$/gm)].map(
    ([, key, value]) => [key ?? '', (value ?? '').replace(/^\[(.*)\]$/, '$1').replaceAll('"', '')] as const,
  );
  const given = [...text.matchAll(/^([a-z_]+):/gm)].map(([, key]) => key ?? '');
  assert.deepEqual([...given, ...commented.map(([key]) => key)].toSorted(), settingKeys.toSorted());
  const env = Object.fromEntries(commented.map(([key, value]) => [environmentName(key as (typeof settingKeys)[number]), value]));
  try {
    loadSettings({ env, cwd: '/srv' });
  } catch (error) {
    assert.fail(error instanceof SettingsError ? error.message : String(error));
  }
});

it('every setting with a flag says in a word what its value is, unless it is a switch', () => {
  for (const key of settingKeys) {
    const { flag, placeholder, help, fallback } = settingRow(key);
    assert.ok(help.length > 0);
    if (flag !== undefined) assert.equal(placeholder === undefined, fallback({ cwd: '/', terminal: false }) === false, key);
  }
});
