import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { checkBorders } from './check-borders.ts';

const scratch = mkdtempSync(join(tmpdir(), 'apigate-borders-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** What there is to import in every tree. */
const targets = [
  'src/errors/catalogue.ts',
  'src/model/ids.ts',
  'src/http/request-head.ts',
  'src/store/store.ts',
  'src/store/sqlite-open.ts',
  'src/control/upstreams.ts',
  'src/admin/admin-app.ts',
  'src/main/apigate.ts',
  'src/settings/settings.ts',
  'src/telemetry/counters.ts',
  'src/secrets/seal.ts',
  'src/gateway/exchange.ts',
  'src/gateway/worker.ts',
  'src/gateway/handle-exchange.ts',
  'src/gateway/match/match-route.ts',
  'src/gateway/snapshot/snapshot.ts',
  'test/support/start-gateway.ts',
];

function findings(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(scratch, 'tree-'));
  for (const [file, text] of Object.entries({
    ...Object.fromEntries(targets.map((file) => [file, 'export const here = true;\n'])),
    ...files,
  })) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return checkBorders(root).map(({ file, line, message }) => `${file}:${line ?? ''} ${message}`);
}

function assertBroken(file: string, text: string, expected: RegExp): void {
  const found = findings({ [file]: text });
  assert.equal(found.length, 1, `${text}\n${found.join('\n')}`);
  assert.match(found[0] ?? '', expected);
}

function assertFine(file: string, text: string): void {
  assert.deepEqual(findings({ [file]: text }), [], text);
}

test('a tree that keeps every rule has no findings', () => {
  assertFine(
    'src/http/head-writer.ts',
    "import { Socket } from 'node:net';\nimport { errorCatalogue } from '../errors/catalogue.ts';\nexport const a = [Socket, errorCatalogue];\n",
  );
});

test('each folder is held to what it may import', () => {
  assertBroken(
    'src/http/a.ts',
    "import { x } from '../model/ids.ts';\n",
    /^src\/http\/a\.ts:1 src\/http may not import src\/model\/ids\.ts \(it may: src\/errors\)/,
  );
  assertBroken('src/cli/a.ts', "import { x } from '../store/store.ts';\n", /src\/cli may not import src\/store/);
  assertBroken('src/cli/a.ts', "import { x } from '../main/apigate.ts';\n", /src\/cli may not import src\/main/);
  assertBroken('src/admin/a.ts', "import { x } from '../store/store.ts';\n", /src\/admin may not import src\/store/);
  assertBroken('src/control/a.ts', "import { x } from '../gateway/exchange.ts';\n", /src\/control may not import src\/gateway/);
  assertBroken('src/store/a.ts', "import { x } from '../control/upstreams.ts';\n", /src\/store may not import src\/control/);
  assertBroken('src/secrets/a.ts', "import { x } from '../store/store.ts';\n", /src\/secrets may not import src\/store/);
  assertBroken('src/gateway/a.ts', "import { x } from '../settings/settings.ts';\n", /src\/gateway may not import src\/settings/);
  assertBroken('src/model/a.ts', "import { x } from '../http/request-head.ts';\n", /src\/model may not import src\/http/);
  assertBroken('src/telemetry/a.ts', "import { x } from '../model/ids.ts';\n", /src\/telemetry may not import src\/model/);
  assertBroken('src/errors/a.ts', "import { x } from '../model/ids.ts';\n", /src\/errors may not import .*\(it may: nothing of ours\)/);
  assertFine('src/main/a.ts', "import { x } from '../store/sqlite-open.ts';\nimport { y } from '../gateway/worker.ts';\n");
});

test('control knows the interface of the store and no implementation', () => {
  assertFine('src/control/a.ts', "import type { Store } from '../store/store.ts';\n");
  assertBroken(
    'src/control/a.ts',
    "import { openSqlite } from '../store/sqlite-open.ts';\n",
    /src\/control may not import src\/store\/sqlite-open/,
  );
});

test('stages do not know one another, and take types from the snapshot', () => {
  assertBroken(
    'src/gateway/reply/a.ts',
    "import { x } from '../match/match-route.ts';\n",
    /src\/gateway\/reply may not import src\/gateway\/match/,
  );
  assertBroken(
    'src/gateway/reply/a.ts',
    "import type { X } from '../match/match-route.ts';\n",
    /src\/gateway\/reply may not import src\/gateway\/match/,
  );
  assertBroken('src/gateway/reply/a.ts', "import { x } from '../handle-exchange.ts';\n", /may not import src\/gateway\/handle-exchange/);
  assertBroken('src/gateway/reply/a.ts', "import { x } from '../snapshot/snapshot.ts';\n", /may not import src\/gateway\/snapshot/);
  assertFine('src/gateway/reply/a.ts', "import { x } from '../exchange.ts';\nimport type { Snapshot } from '../snapshot/snapshot.ts';\n");
  assertFine('src/gateway/snapshot/compile.ts', "import { x } from '../match/match-route.ts';\n");
});

test('a type-only border lets no value through', () => {
  assertFine('src/cli/a.ts', "import type { AdminApp } from '../admin/admin-app.ts';\nimport { type B } from '../admin/admin-app.ts';\n");
  assertBroken('src/cli/a.ts', "import { type A, b } from '../admin/admin-app.ts';\n", /src\/cli may not import src\/admin/);
  assertFine('ui/src/features/upstreams/client.ts', "import type { AdminApp } from '../../../../src/admin/admin-app.ts';\n");
  assertBroken(
    'ui/src/features/upstreams/client.ts',
    "import { app } from '../../../../src/admin/admin-app.ts';\n",
    /ui may not import src\/admin/,
  );
});

test('every way of naming a module is seen', () => {
  const forbidden = '../store/store.ts';
  assertBroken('src/http/a.ts', `import {\n  x,\n  y,\n} from '${forbidden}';\n`, /^src\/http\/a\.ts:4 /);
  assertBroken('src/http/a.ts', `import '${forbidden}';\n`, /may not import/);
  assertBroken('src/http/a.ts', `import * as store from "${forbidden}";\n`, /may not import/);
  assertBroken('src/http/a.ts', `export { x } from '${forbidden}';\nexport const y = 1;\n`, /may not import/);
  assertBroken('src/http/a.ts', `const x = await import('${forbidden}');\n`, /^src\/http\/a\.ts:1 .*may not import/);
  assertBroken('src/http/a.ts', `const x = await import(name);\n`, /computed/);
  assertBroken('src/http/a.ts', `new Worker(new URL('${forbidden}', import.meta.url));\n`, /may not import/);
  assertBroken(
    'src/http/a.ts',
    "new URL(import.meta.url.endsWith('.ts') ? '../gateway/worker.ts' : '../gateway/worker.js', import.meta.url);\n",
    /may not import src\/gateway\/worker\.ts/,
  );
  assertBroken('src/main/a.ts', "new URL('./no-such-worker.ts', import.meta.url);\n", /does not exist/);
  assertFine(
    'src/http/a.ts',
    `// import { x } from '${forbidden}';\n/**\n * import { x } from '${forbidden}';\n */\nexport const a = 1; // as import('${forbidden}') would\n`,
  );
});

test('folders are kept from packages that are not their business', () => {
  assertBroken('src/control/a.ts', "import { Kysely } from 'kysely';\n", /src\/control may not know kysely/);
  assertBroken('src/admin/a.ts', "import type { Generated } from 'kysely/helpers';\n", /src\/admin may not know kysely/);
  assertBroken('src/model/a.ts', "import { readFile } from 'node:fs/promises';\n", /src\/model may not know node:fs/);
  assertFine('src/store/a.ts', "import { Kysely } from 'kysely';\n");
});

test('test/ talks to the whole through its entry', () => {
  assertFine(
    'test/e2e/a.test.ts',
    "import { x } from '../../src/main/apigate.ts';\nimport { y } from '../support/start-gateway.ts';\nimport { z } from '../../src/model/ids.ts';\n",
  );
  assertBroken('test/e2e/a.test.ts', "import { x } from '../../src/http/request-head.ts';\n", /test may not import src\/http/);
  assertFine('test/contract/a.test.ts', "import { x } from '../../src/store/sqlite-open.ts';\n");
});

test('a unit test may use the real store, and is no module for others', () => {
  assertFine('src/control/a.test.ts', "import { openSqlite } from '../store/sqlite-open.ts';\n");
  assertBroken('src/http/a.test.ts', "import { x } from '../gateway/exchange.ts';\n", /src\/http may not import src\/gateway/);
  const found = findings({ 'src/http/a.test.ts': 'export const a = 1;\n', 'src/http/b.ts': "import { a } from './a.test.ts';\n" });
  assert.match(found.join('\n'), /src\/http\/b\.ts:1 imports src\/http\/a\.test\.ts, which is for tests/);
  const fixture = { 'src/http/a-fixture.ts': 'export const a = 1;\n' };
  assert.deepEqual(findings({ ...fixture, 'src/http/b.test.ts': "import { a } from './a-fixture.ts';\n" }), []);
  assert.match(
    findings({ ...fixture, 'src/http/b.ts': "import { a } from './a-fixture.ts';\n" }).join('\n'),
    /a-fixture\.ts, which is for tests/,
  );
});

test('no barrels', () => {
  assertBroken('src/model/index.ts', 'export const a = 1;\n', /no index files/);
  assertBroken('src/model/everything.ts', "// All of it.\nexport { x } from './ids.ts';\nexport * from './ids.ts';\n", /no barrels/);
});

test('names are kebab-case and say something', () => {
  assertBroken('src/model/apiKey.ts', 'export const a = 1;\n', /kebab-case/);
  assertBroken('src/model/api_key.ts', 'export const a = 1;\n', /kebab-case/);
  assertBroken('src/model/utils/text.ts', 'export const a = 1;\n', /"utils" says nothing/);
  assertBroken('src/model/helpers.ts', 'export const a = 1;\n', /"helpers" says nothing/);
  assertFine('src/model/rate-limit.test.ts', 'export const a = 1;\n');
});

test('a long file says why', () => {
  const lines = 'export {};\n'.repeat(300);
  assertFine('src/model/a.ts', lines);
  assertBroken('src/model/a.ts', `${lines}export {};\n`, /301 lines/);
  assertBroken('src/model/a.ts', `// long\n${lines}`, /301 lines/);
  assertFine('src/model/a.ts', `// One table on purpose: readers look codes up in one place.\n${lines}`);
});
