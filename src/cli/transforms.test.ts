import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { CliFixture } from './cli-fixture.ts';

const steps = {
  headers: { set: { 'X-Env': '${env.STAGE}' } },
  conditions: [{ when: { status: '5xx' }, body: { json: { mask: ['a.b'] } } }],
};
const yaml = `headers: { set: { X-Env: "\${env.STAGE}" } }
conditions:
  - when: { status: 5xx }
    body: { json: { mask: [a.b] } }
`;

async function sent(
  argv: readonly string[],
  options: { cwd?: string; stdin?: string } = {},
): Promise<{ body: Record<string, unknown>; stderr: string }> {
  const cli = new CliFixture();
  const result = await cli.run(['routes', 'create', '--name', 'r', '--path', '/r', '--upstream', 'u', ...argv], options);
  const post = cli.api.seen.find(({ method }) => method === 'POST');
  return { body: (post?.body ?? {}) as Record<string, unknown>, stderr: result.stderr };
}

describe('transformation flags of routes', () => {
  it('send the rewrite and the method; an empty text takes them away', async () => {
    const { body } = await sent(['--rewrite', '/v2/$1', '--method-override', 'PUT']);
    assert.deepEqual([body['path_rewrite'], body['method_override']], ['/v2/$1', 'PUT']);
    const none = await sent(['--rewrite', '', '--method-override', '', '--request-transform', '']);
    assert.deepEqual([none.body['path_rewrite'], none.body['method_override'], none.body['request_transform']], [null, null, null]);
  });
  it('read YAML and JSON, from a file, from standard input, or as they stand', async (context) => {
    const directory = await temporaryDirectory(context);
    writeFileSync(join(directory, 'steps.yaml'), yaml);
    writeFileSync(join(directory, 'steps.json'), JSON.stringify(steps));
    for (const [value, stdin] of [
      ['@steps.yaml', undefined],
      ['@steps.json', undefined],
      ['@-', yaml],
      [JSON.stringify(steps), undefined],
    ] as const) {
      const { body, stderr } = await sent(['--response-transform', value], { cwd: directory, ...(stdin === undefined ? {} : { stdin }) });
      assert.deepEqual(body['response_transform'], steps, `${value} ${stderr}`);
    }
  });
  it('say what is wrong with the text, and send nothing', async (context) => {
    const directory = await temporaryDirectory(context);
    writeFileSync(join(directory, 'bytes'), Buffer.of(0x7b, 0xff));
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [name, before] of [
      ['b', 'a'],
      ['c', 'b'],
      ['d', 'c'],
      ['e', 'd'],
    ] as const)
      bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(',')}]`);
    for (const [value, expected] of [
      ['@nowhere.yaml', /--request-transform: .*nowhere\.yaml/],
      ['@bytes', /bytes is not UTF-8/],
      ['{"headers": ', /neither YAML nor JSON/],
      ['a: 1\na: 2', /neither YAML nor JSON: .*unique/i],
      ['steps.yaml', /write --request-transform @file\.yaml/],
      ['[1]', /does not hold a transformation/],
      [bomb.join('\n'), /cannot be read/],
    ] as const) {
      const { body, stderr } = await sent(['--request-transform', value], { cwd: directory });
      assert.match(stderr, expected, value);
      assert.deepEqual(body, {});
    }
  });
  it('are named where the API refuses their fields', async () => {
    const cli = new CliFixture();
    cli.api.refuseNext({
      status: 422,
      code: 'validation_failed',
      errors: [{ field: 'response_transform.headers.set.Via', message: 'is set by the gateway itself' }],
    });
    const result = await cli.run(['routes', 'update', 'r', '--response-transform', '{"headers":{"set":{"Via":"x"}}}']);
    assert.match(result.stderr, /--response-transform/);
    assert.match(result.stderr, /is set by the gateway itself/);
  });
});
