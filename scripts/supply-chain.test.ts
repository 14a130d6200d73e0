import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const read = (file: string): Record<string, unknown> => JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<string, unknown>;

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

function wantedBy(folder: string): Record<string, string> {
  const manifest = read(`${folder}package.json`) as Partial<
    Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>
  >;
  return { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
}

test('every dependency has one exact version, a hash in the lockfile, and no install script', () => {
  for (const folder of ['', 'tools/node/', 'test/peers/']) {
    const wanted = folder === '' ? { ...wantedBy(''), ...wantedBy('ui/') } : wantedBy(folder);
    assert.ok(Object.keys(wanted).length > 0);
    for (const [name, version] of Object.entries(wanted)) assert.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/, name);
    const { packages } = read(`${folder}package-lock.json`) as { packages: Record<string, Locked> };
    for (const [path, locked] of Object.entries(packages)) {
      if (path === '' || path === 'ui' || locked.link === true) continue;
      assert.match(locked.integrity ?? '', /^sha512-/, path);
      assert.notEqual(locked.hasInstallScript, true, `${path} has an install script`);
    }
    for (const [name, version] of Object.entries(wanted)) assert.equal(packages[`node_modules/${name}`]?.version, version, name);
  }
});

test('what is installed runs no scripts of its own', () => {
  const setup = readFileSync(join(root, 'scripts/setup.mjs'), 'utf8');
  const installs = setup.match(/'(?:ci|install)',/g) ?? [];
  assert.ok(installs.length > 0);
  assert.equal((setup.match(/'--ignore-scripts'/g) ?? []).length, installs.length, 'each install says so');
  assert.match(readFileSync(join(root, 'test/peers/.npmrc'), 'utf8'), /^ignore-scripts=true$/m);
  for (const folder of ['', 'tools/node/', 'test/peers/']) {
    const scripts = Object.keys((read(`${folder}package.json`)['scripts'] as object | undefined) ?? {});
    for (const name of scripts) assert.doesNotMatch(name, /^(pre|post)?install$|^(pre|post)?prepare$/, `${folder}package.json`);
  }
});

test('the command that SECURITY.md gives for a list of what a checkout has lists all of it', () => {
  const command = /`npm (sbom [^`]+)`/.exec(readFileSync(join(root, 'SECURITY.md'), 'utf8'))?.[1];
  assert.ok(command);
  const text = execFileSync('npm', command.split(' '), { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const sbom = JSON.parse(text) as {
    readonly bomFormat: string;
    readonly components: readonly { readonly name: string; readonly version: string }[];
  };
  assert.equal(sbom.bomFormat, 'CycloneDX');
  const listed = sbom.components.map(({ name, version }) => `${name}@${version}`);
  const { dependencies, devDependencies } = read('package.json') as Record<'dependencies' | 'devDependencies', Record<string, string>>;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    assert.ok(listed.includes(`${name}@${version}`), `${name} in ${listed.join(' ')}`);
});
