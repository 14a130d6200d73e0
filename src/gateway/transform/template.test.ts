import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RequestHead } from '../../http/request-head.ts';
import { PathCaptures } from '../path-captures.ts';
import { compileRewrite, rewrittenTarget } from './rewrite-path.ts';
import { changeQuery } from './query-steps.ts';
import { compileTemplate, headerText, plainText, type Template, type TemplateScope } from './template.ts';
import { TransformFacts } from './transform-facts.ts';
import { TransformFailure } from './transform-failure.ts';

function scope(environment: Record<string, string> = {}): TemplateScope {
  return {
    captures: PathCaptures.of({ path_pattern: '/users/{id}/*', match_type: 'prefix' }),
    environment: new Map(Object.entries(environment)),
    headers: new Set(),
    query: false,
    capturesUsed: false,
  };
}

function compiled(text: string, environment: Record<string, string> = {}): Template {
  const template = compileTemplate(text, scope(environment));
  if (typeof template === 'string') assert.fail(template);
  return template;
}

function facts(path = '/users/7/rest', query = '', header = ''): TransformFacts {
  const head = new RequestHead({ maxTarget: 65_536, maxHead: 262_144, maxFields: 100 });
  const bytes = Buffer.from(`GET ${path}${query === '' ? '' : `?${query}`} HTTP/1.1\r\nHost: x\r\nX-V: ${header}\r\n\r\n`, 'latin1');
  assert.ok(head.parse(bytes, 0, bytes.length) > 0, head.reason);
  const subject = { method: 'GET', host: 'x', path, remoteAddress: '::1', requestId: 'r', keyId: '', keyPrefix: '' };
  return new TransformFacts(subject, head, PathCaptures.of({ path_pattern: '/users/{id}/*', match_type: 'prefix' }), false);
}

test('unknown variables are told with what was probably meant', () => {
  for (const [text, expected] of [
    ['${uid}', /unknown variable \$\{uid\}; did you mean \$\{uuid\}\?/],
    ['${request-id}', /did you mean \$\{request_id\}/],
    ['${headers.X-A}', /did you mean \$\{header\.NAME\}/],
    ['${}', /unknown variable/],
    ['${constructor}', /unknown variable/],
    ['${__proto__}', /unknown variable/],
    ['${path', /without its \}/],
    ['$2', /has only \$1; write \$\$2/],
    ['$0', /uses \$0/],
    ['${pathParams.ID}', /no \{ID\}; did you mean \$\{pathParams\.id\}/],
    ['${env.REGIO}', /REGIO is not in APIGATE_TRANSFORM_ENV; did you mean \$\{env\.REGION\}/],
    ['${header.a b}', /not a header name/],
    ['${header.X-API-Key}', /for the gateway alone/],
    ['${query.}', /which parameter/],
  ] as const) {
    const problem = compileTemplate(text, scope({ REGION: 'eu' }));
    assert.ok(typeof problem === 'string', text);
    assert.match(problem, expected, text);
  }
});

test('a dollar sign is itself unless it begins a variable; two make one', () => {
  for (const [text, expected] of [
    ['$', '$'],
    ['a$b', 'a$b'],
    ['$$', '$'],
    ['$$1', '$1'],
    ['$$${path}', '$/users/7/rest'],
    ['$${path}', '${path}'],
    ['$1$1', 'restrest'],
  ] as const)
    assert.equal(headerText(compiled(text), facts()), expected, text);
});

test('bytes that are UTF-8 become text in JSON and stay bytes in a header', () => {
  const from = facts('/users/7/rest', 'q=%C3%BC');
  assert.equal(plainText(compiled('${query.q}é'), from), 'üé');
  assert.equal(headerText(compiled('${query.q}é'), from), Buffer.from('üé').toString('latin1'));
});

test('no substitution ever yields CR, LF or NUL, in a header, a query, a path or JSON', () => {
  const template = compiled('a${query.q}b${header.X-V}c${pathParams.id}$1${env.E}', { E: 'x' });
  const rewrite = compileRewrite('/x/${query.q}/${header.X-V}?r=${query.q}', scope());
  assert.ok(typeof rewrite !== 'string');
  const anyByte = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 12 });
  const fieldByte = fc.array(fc.oneof(fc.constant(9), fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(anyByte, fieldByte, (inQuery, inHeader) => {
      const encoded = inQuery.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
      const from = facts('/users/7/rest', `q=${encoded}`, Buffer.from(inHeader).toString('latin1'));
      const outputs = [
        () => headerText(template, from),
        () => plainText(template, from),
        () => rewrittenTarget(rewrite, '', from),
        () => changeQuery('a=1', [{ act: 'set', name: 'a', value: template }], from),
      ];
      for (const output of outputs) {
        let text: string;
        try {
          text = output();
        } catch (error) {
          assert.ok(error instanceof TransformFailure);
          assert.equal(error.status, 500);
          continue;
        }
        // oxlint-disable-next-line no-control-regex -- control characters are what it is about
        assert.ok(!/[\r\n\u0000]/.test(text), JSON.stringify(text));
      }
      assert.equal(
        outputs.some((output) => throws(output)),
        inQuery.some((byte) => byte === 0 || byte === 10 || byte === 13) || throws(outputs[0]!) || throws(outputs[2]!),
      );
    }),
    { numRuns: 500 },
  );
});

test("a rewritten target starts with one slash, has only a target's bytes, and never climbs", () => {
  const rewrite = compileRewrite('/${header.X-V}/${query.q}$1?${header.X-V}=1', scope());
  assert.ok(typeof rewrite !== 'string');
  const piece = fc.oneof(
    fc.constantFrom('.', '..', '/', '%2e', '%2F', '\\', ';', '//evil', '%', 'a'),
    fc.string({ maxLength: 3, unit: 'binary-ascii' }),
  );
  const pieces = fc.array(piece, { maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(pieces, pieces, (inHeader, inQuery) => {
      // oxlint-disable-next-line no-control-regex -- control characters are what it is about
      const value = inHeader.replaceAll(/[\u0000-\u001f\u007f]/g, '').trim();
      const from = facts('/users/7/rest', `q=${encodeURIComponent(inQuery)}`, value);
      let target: string;
      try {
        target = rewrittenTarget(rewrite, '', from);
      } catch (error) {
        assert.ok(error instanceof TransformFailure);
        return;
      }
      assert.match(target, /^\/(?!\/)[\u0021-\u007e]*$/);
      const path = target.split('?')[0]!;
      const decoded = path.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
      assert.ok(!decoded.split(/[/\\]/).some((segment) => /^\.\.?(?:;|$)/.test(segment)), target);
      assert.equal(new URL(target, 'http://upstream.test').host, 'upstream.test');
    }),
    { numRuns: 1000 },
  );
});

test('what a rewrite may not be is told when it is saved', () => {
  for (const [text, expected] of [
    ['x', /must begin with \//],
    ['http://evil.test/', /must begin with \//],
    ['/a/../b', /dot-segments/],
    ['/%2e%2e/', /dot-segments/],
    ['/a%', /hexadecimal/],
    ['/a%${path}', /hexadecimal/],
    ['/a\\b', /backslashes/],
    ['/a b', /percent-encoded/],
    ['/ä', /percent-encoded/],
    ['/a#b', /fragment/],
    ['/users/{id}', /written \$\{pathParams\.id\}/],
    ['/a?b c', /percent-encoded in a query/],
    ['/a?x=$9', /has only \$1/],
  ] as const) {
    const problem = compileRewrite(text, scope());
    assert.ok(typeof problem === 'string', text);
    assert.match(problem, expected, text);
  }
});

function throws(output: () => unknown): boolean {
  try {
    output();
    return false;
  } catch {
    return true;
  }
}
