import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { declaredInput, problemText } from './declared-input.ts';
import { exportText } from '../../model/export-text.ts';

function read(...texts: readonly string[]) {
  return declaredInput(texts.map((text, index) => ({ label: `${'abc'[index]}.yaml`, text })));
}

function problems(...texts: readonly string[]): string[] {
  return read(...texts).problems.map(problemText);
}

describe('documents', () => {
  test('the lists of all documents of all files are one, and errors lead back to line and document', () => {
    const input = read(
      'version: 1\nroutes:\n  - name: a\n  - name: b\n    headers:\n      - name: X\n        value: 1\n---\n---\nroutes: [{name: c}]\nkeys: []\n',
      '{"routes": [{"name": "d",\n"path_pattern": "/"}], "upstreams": [{}]}',
    );
    assert.deepEqual(input.problems, []);
    assert.deepEqual(input.body, {
      routes: [{ name: 'a' }, { name: 'b', headers: [{ name: 'X', value: 1 }] }, { name: 'c' }, { name: 'd', path_pattern: '/' }],
      keys: [],
      upstreams: [{}],
    });
    const at = (field: string): string => problemText({ ...input.placeOf(field), message: '!' });
    assert.equal(at('routes.1.headers.0.value'), 'a.yaml:7: document 1, routes[1].headers[0].value: !');
    assert.equal(at('routes.1.upstream'), 'a.yaml:4: document 1, routes[1].upstream: !');
    assert.equal(at('routes.2.name'), 'a.yaml:10: document 2, routes[0].name: !');
    assert.equal(at('routes.3.path_pattern'), 'b.yaml:2: routes[0].path_pattern: !');
    assert.equal(at('upstreams.0'), 'b.yaml:2: upstreams[0]: !');
    assert.equal(at('routes.9'), 'routes.9: !');
  });

  test('anchors and aliases stand for what they name, and errors in them lead to where it is written', () => {
    const input = read('upstreams:\n  - &one {name: x,\n     base_url: u}\nroutes: [*one]\n');
    assert.deepEqual(input.body, { upstreams: [{ name: 'x', base_url: 'u' }], routes: [{ name: 'x', base_url: 'u' }] });
    assert.equal(input.placeOf('routes.0.base_url').line, 3);
  });

  test('tabs in JSON, a list without items and YAML 1.2 words are read as they are meant', () => {
    assert.deepEqual(read('{\n\t"keys": [\n\t\t{"name": "a\\u00e9"}\n\t]\n}').body, { keys: [{ name: 'aé' }] });
    assert.deepEqual(read('routes: [{name: on, enabled: yes, priority: 0x10}]').body, {
      routes: [{ name: 'on', enabled: 'yes', priority: 16 }],
    });
  });

  test('a field named __proto__ stays a field', () => {
    const [route] = read('routes: [{__proto__: {enabled: false}}]').body.routes as [{ enabled?: boolean }];
    assert.deepEqual(Object.keys(route), ['__proto__']);
    assert.equal(route.enabled, undefined);
  });
});

test('whatever texts an export holds, it is read back as they were, and never with a bare control character', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\r', '\n', '\t', ' ', '\u0085', '\u2028', '#', ':', '-', 'a', '"', "'", '|', '\ufeff') }),
  );
  const entry = fc.record({
    name: text,
    description: text,
    headers: fc.dictionary(text, text),
    methods: fc.array(text),
    enabled: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.record({ routes: fc.array(entry, { maxLength: 3 }), keys: fc.array(entry, { maxLength: 2 }) }), (config) => {
      const wellFormed = JSON.parse(JSON.stringify(config)) as typeof config;
      const yaml = exportText({ version: 1, ...wellFormed });
      const { body, problems: found } = read(yaml);
      assert.deepEqual(found, []);
      assert.equal(JSON.stringify(body), JSON.stringify(wellFormed));
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(yaml, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }),
    { numRuns: 500 },
  );
});

describe('problems', () => {
  const cases: readonly (readonly [text: string, ...told: RegExp[]])[] = [
    ['routes: [', /^a\.yaml:1: is not valid YAML/],
    ['routes: []\nroutes: []', /^a\.yaml:2: the same key stands twice/],
    ['{"keys": [{"name": "a", "name": "b"}]}', /^a\.yaml:1: the same key stands twice/],
    ['keys: [!secret x]', /^a\.yaml:1: tags/],
    ['keys:\n - !!binary aGk=', /^a\.yaml:2: tags/],
    ['%YAML 1.1\n---\nkeys: []', /^a\.yaml:1: is YAML 1\.1/],
    ['keys: [{rate_limit_per_minute: .inf}]', /^a\.yaml:1: must be a number that JSON has/],
    ['keys: &k [*k]', /^a\.yaml:1: is nested deeper than 64 levels, or holds itself/],
    ['keys:\n - &a {name: b}\n - <<: *a', /^a\.yaml:3: merge keys/],
    ['keys:\n - ? [a]\n   : 1', /^a\.yaml:2: keys must be plain text/],
    [`keys: ${'['.repeat(100_000)}`, /nested too deeply/],
    ['[]', /^a\.yaml:1: must be an object with upstreams, routes, keys/],
    ['', /^a\.yaml: declares nothing/],
    ['# nothing\n---\n', /^a\.yaml: declares nothing/],
    [
      '\nversion: 2\nroute: []\nkeys:\nupstreams: {}',
      /:2: version: must be 1/,
      /:3: route: is not a known field; did you mean routes\?/,
      /:4: keys: must be a list; write \[\]/,
      /:5: upstreams: must be a list/,
    ],
  ];
  for (const [text, ...told] of cases) {
    test(`${JSON.stringify(text.slice(0, 40))} is told with its line`, () => {
      const found = problems(text);
      for (const [index, pattern] of told.entries()) assert.match(found[index] ?? '', pattern);
    });
  }

  test('a few lines of aliases that stand for billions of values are refused at once', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `l${level}: &l${level} [${Array.from({ length: 12 }, () => (level === 0 ? 'x' : `*l${level - 1}`)).join(', ')}]`,
    );
    const started = performance.now();
    assert.match(problems(levels.join('\n')).join(), /stand for more than 100000 values/);
    assert.ok(performance.now() - started < 5_000);
  });

  test('every file is told of at once, and no message quotes a value', () => {
    const found = problems('keys: [{auth_value: top-secret]', 'keys: {auth_value: top-secret', 'keys: []');
    assert.ok(found.some((line) => line.startsWith('a.yaml')) && found.some((line) => line.startsWith('b.yaml')), found.join('\n'));
    assert.doesNotMatch(found.join(), /top-secret/);
  });
});
