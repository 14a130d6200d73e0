import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../errors/gateway-error.ts';
import { maximumJsonDepth, maximumJsonMembers, parseStrictJson } from './strict-json.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

function refusal(body: Uint8Array): string {
  try {
    parseStrictJson(body);
  } catch (error) {
    assert.ok(error instanceof GatewayError);
    assert.equal(error.code, 'malformed_json');
    return error.message;
  }
  return assert.fail('was accepted');
}

describe('parseStrictJson', () => {
  it('gives what JSON.parse gives for any JSON value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        fc.pre(!text.includes('"__proto__"'));
        assert.deepEqual(parseStrictJson(bytes(text)), JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it('M06 refuses a duplicate name at any level, also when one is spelled with escapes', () => {
    assert.match(refusal(bytes('{"a":1,"a":2}')), /"a" twice/);
    assert.match(refusal(bytes('{"x":[{"deep":{"b":1,"c":2,"b":3}}]}')), /"b" twice/);
    assert.match(refusal(bytes('{"ab":1,"\\u0061b":2}')), /"ab" twice/);
    assert.match(refusal(bytes('{"__proto__":1,"__proto__":2}')), /"__proto__" twice/);
  });

  it('accepts equal names in different objects, and strings that look like names', () => {
    const text = '{"a":{"a":1},"b":[{"a":1},{"a":2},"a","a"],"c":"a","d":"\\"a\\":1,\\"a\\":2"}';
    assert.deepEqual(parseStrictJson(bytes(text)), JSON.parse(text));
  });

  it('M06 keeps __proto__ as an ordinary own member', () => {
    const value = parseStrictJson(bytes('{"__proto__":{"polluted":true}}')) as object;
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.ok(Object.hasOwn(value, '__proto__'));
    assert.equal((value as { polluted?: boolean }).polluted, undefined);
  });

  it('refuses __proto__ deeper down, with each of its places, however it is spelled', () => {
    const fields = (text: string): string[] => {
      try {
        parseStrictJson(bytes(text));
      } catch (error) {
        assert.ok(error instanceof GatewayError && error.code === 'validation_failed', String(error));
        return error.errors.map(({ field }) => field);
      }
      return [];
    };
    assert.deepEqual(fields('{"a":{"__proto__":{"b":1}},"list":[{},{"c":{"__proto__":1}}],"__proto__":{}}'), [
      'a.__proto__',
      'list.1.c.__proto__',
      '__proto__',
    ]);
    assert.deepEqual(fields('[{"\\u005f_proto\\u005F_":1}]'), ['0.__proto__']);
    assert.deepEqual(fields('{"a":"__proto__","b":["__proto__"],"__proto":{"__proto___":1}}'), []);
    assert.equal(fields(`[${'{"__proto__":1},'.repeat(5_000)}{}]`).length, 1_000);
    assert.equal(({} as { b?: number }).b, undefined);
  });

  it('M06 refuses nesting beyond the bound and accepts nesting at it', () => {
    const nested = (depth: number): Uint8Array => bytes('['.repeat(depth) + ']'.repeat(depth));
    assert.ok(Array.isArray(parseStrictJson(nested(maximumJsonDepth))));
    assert.match(refusal(nested(maximumJsonDepth + 1)), /nested deeper/);
    assert.match(refusal(nested(10_000)), /nested deeper/);
    assert.match(refusal(bytes('{"a":'.repeat(100_000))), /nested deeper/);
  });

  it('refuses an object with too many members', () => {
    const members = (count: number): string => Array.from({ length: count }, (_, index) => `"n${index}":1`).join(',');
    assert.equal(Object.keys(parseStrictJson(bytes(`{${members(maximumJsonMembers)}}`)) as object).length, maximumJsonMembers);
    assert.match(refusal(bytes(`{"a":[{${members(maximumJsonMembers + 1)}}]}`)), /more than 1000 members/);
  });

  it('M06 refuses a byte order mark, invalid UTF-8, an empty body, trailing garbage, comments and unpaired surrogates', () => {
    assert.match(refusal(Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])), /byte order mark/);
    assert.match(refusal(Buffer.from([0x22, 0xff, 0x22])), /UTF-8/);
    assert.match(refusal(bytes('')), /empty/);
    assert.match(refusal(bytes(' \n')), /empty/);
    assert.match(refusal(bytes('{} x')), /not valid JSON/);
    assert.match(refusal(bytes('{}{}')), /not valid JSON/);
    assert.match(refusal(bytes('{"a":1,}')), /not valid JSON/);
    assert.match(refusal(bytes("{'a':1}")), /not valid JSON/);
    assert.match(refusal(bytes('/* c */ {}')), /not valid JSON/);
    assert.match(refusal(bytes('{"a":"\\ud800"}')), /surrogate/);
    assert.deepEqual(parseStrictJson(bytes('{"a":"\\ud83d\\ude00"}')), { a: '\u{1f600}' });
  });

  it('never quotes the body, which may hold a secret', () => {
    assert.doesNotMatch(refusal(bytes('{"auth_value": s3cret-canary}')), /canary/);
  });

  it('M06 stays fast on the worst megabyte', () => {
    const names = Array.from({ length: 90_000 }, (_, index) => `"n${index}":1`).join(',');
    const bodies = [
      bytes(`{${names}}`),
      bytes(`"${'\\"'.repeat(500_000)}"`),
      bytes(`[${'{},'.repeat(340_000)}{}]`),
      bytes('"'.repeat(1_000_000)),
    ];
    for (const body of bodies) {
      const start = process.cpuUsage();
      try {
        parseStrictJson(body);
      } catch {
        // only the time counts here
      }
      const used = process.cpuUsage(start);
      assert.ok(used.user + used.system < 1_000_000, 'a quadratic scan would take minutes');
    }
  });
});
