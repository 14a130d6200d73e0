import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, describe, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import type { RunResult } from '../support/foreign-program.ts';
import { useRefusals } from '../support/refused-input.ts';
import { localEnvironment, remoteEnvironment, runApigate } from '../support/run-apigate.ts';

const refusals = useRefusals();
let tokens: Record<'read' | 'write', string>;

/** A command that must fail, say why on standard error alone, and change nothing. */
async function fails(
  code: number,
  args: readonly string[],
  why: RegExp,
  env: Readonly<Record<string, string>>,
  input?: string,
): Promise<RunResult> {
  const earlier = await refusals.state();
  const result = await runApigate(args, { env, cwd: refusals.gateway.directory, ...(input === undefined ? {} : { input }) });
  const told = `apigate ${args.join(' ')}: ${result.stderr}`;
  assert.equal(result.code, code, told);
  assert.equal(result.stdout, '', told);
  assert.match(result.stderr, why, told);
  assert.match(result.stderr, /^(?:Warning: .*\n)*Error: /, told);
  assert.doesNotMatch(result.stderr, /\n\s+at .*\.ts|canary-/, told);
  assert.deepEqual(await refusals.state(), earlier, told);
  return result;
}

const create = ['upstreams', 'create', '--name', 'new', '--url', 'http://backend.test'];

describe('exit code 2: the command is not right', () => {
  before(async () => {
    const made = await Promise.all(
      (['read', 'write'] as const).map(
        async (scope) => (await refusals.session.must('POST', '/tokens', { name: scope, scope }))['token'] as string,
      ),
    );
    tokens = { read: made[0]!, write: made[1]! };
  });

  // Found before anything is asked, so it does not matter where. The CLI's own tests have many more of them.
  for (const [args, why] of [
    [['upstreams', 'creat'], /unknown command 'creat'[\s\S]*create/],
    [['upstreams', 'create'], /--name and --url are required/],
    [['upstreams', 'update', 'existing'], /nothing to change/],
    [[...create, '--timout', '5'], /unknown option '--timout'[\s\S]*--timeout/],
    [[...create, '--timeout', '30s'], /--timeout[\s\S]*milliseconds: 30000/],
    [[...create, '--auth-type', 'magic'], /--auth-type[\s\S]*none, bearer, header, basic/],
    [[...create, '--auth-type', 'bearer', '--auth-value-file', 'nowhere.txt'], /--auth-value-file[\s\S]*nowhere\.txt/],
    [['keys', 'create', '--name', 'new', '--expires-in', 'soon'], /--expires-in[\s\S]*90d/],
    [['admins', 'create', '--email', 'a@b.test', '--password', 'canary-in-the-open'], /--password takes only "-"/],
    [['upstreams', 'list', '--server', 'http://localhost', '--database', 'x.db'], /exclude each other/],
  ] as const) {
    test(`apigate ${args.join(' ')}`, async () => void (await fails(2, args, why, localEnvironment(refusals.gateway))));
  }

  // Found by the gateway's own checks, on the local database as over REST.
  for (const [args, why] of [
    [
      [...create, '--timeout', '0', '--max-idle-conns', '-1', '--description', 'fine'],
      /--timeout: must be a whole number from 1 to 86400000[\s\S]*--max-idle-conns: must be a whole number from 0 to 100000/,
    ],
    [['upstreams', 'update', 'existing', '--url', 'http://evil.test'], /--auth-value: must be given again/],
    [
      ['routes', 'create', '--name', 'new', '--path', 'x', '--upstream', 'nobody', '--methods', 'get'],
      /--path: must start with \/[\s\S]*--upstream: is neither[\s\S]*--methods \(methods\.0\): .*GET|--methods \(methods\.0\)[\s\S]*--path[\s\S]*--upstream/,
    ],
    [
      ['routes', 'update', 'existing', '--cors-origins', '*,http://a.test/', '--cors-methods', 'G T', '--cors-max-age', '-1'],
      /--cors-origins \(cors\.allow_origins\.1\): must be an origin alone[\s\S]*--cors-methods \(cors\.allow_methods\.0\)[\s\S]*--cors-max-age/,
    ],
    [['tokens', 'update', 'existing', '--expires-at', '2020-01-01'], /--expires-at: must be in the future/],
  ] as const) {
    test(`apigate ${args.join(' ')}`, async () => {
      const local = await fails(2, args, why, localEnvironment(refusals.gateway));
      if (args[0] === 'tokens') return;
      const remote = await fails(2, args, why, remoteEnvironment(refusals.gateway, tokens.write));
      const withoutId = (text: string): string => text.replace(/Request id: .*/, '');
      assert.equal(withoutId(remote.stderr), withoutId(local.stderr), 'one set of checks, one set of words');
    });
  }

  test('names that no path can carry are refused by name, on the local database as over REST', async () => {
    for (const name of ['../admins', 'a\\b']) {
      for (const env of [localEnvironment(refusals.gateway), remoteEnvironment(refusals.gateway, tokens.write)])
        await fails(2, ['upstreams', 'delete', name], /cannot be addressed by name[\s\S]*give its id/, env);
    }
  });

  test('a credential that cannot be sent is refused and not repeated', async () => {
    for (const value of ['canary-ключ']) {
      await fails(
        2,
        [...create, '--auth-type', 'bearer', '--auth-value', '-'],
        /--auth-value: must not contain /,
        remoteEnvironment(refusals.gateway, tokens.write),
        value,
      );
    }
    await fails(
      2,
      [...create, '--auth-type', 'bearer', '--auth-value', '-'],
      /standard input is empty/,
      remoteEnvironment(refusals.gateway, tokens.write),
      '',
    );
  });
});

describe('exit codes 3, 4, 5, 6 and 1', () => {
  test('3: there is no such thing', async () => {
    await fails(3, ['upstreams', 'get', 'nobody'], /Not found/, localEnvironment(refusals.gateway));
    await fails(3, ['upstreams', 'delete', 'nobody'], /There is no upstream/, localEnvironment(refusals.gateway));
    for (const args of [
      ['upstreams', 'update', 'up_0123456789abcdef', '--timeout', '5'],
      ['routes', 'delete', 'nobody'],
      ['keys', 'revoke', 'nobody'],
    ]) {
      await fails(3, args, /Not found: There is no /, remoteEnvironment(refusals.gateway, tokens.write));
    }
  });

  test('4: not authorised', async () => {
    const { gateway } = refusals;
    await fails(4, create, /needs an API token in APIGATE_TOKEN/, { APIGATE_SERVER: gateway.url });
    await fails(4, create, /does not hold an API token/, remoteEnvironment(gateway, 'zwei Wörter'));
    await fails(4, create, /Not signed in[\s\S]*mistyped, expired or revoked/, remoteEnvironment(gateway, `agt_${'0'.repeat(64)}`));
    await fails(4, create, /needs a token of scope write; this one has scope read/, remoteEnvironment(gateway, tokens.read));
    await fails(4, ['tokens', 'create', '--name', 'new', '--scope', 'admin'], /scope admin/, remoteEnvironment(gateway, tokens.write));
  });

  test('5: in conflict with what is stored', async () => {
    await fails(
      5,
      ['upstreams', 'create', '--name', 'existing', '--url', 'http://backend.test'],
      /Conflict: There is another upstream named "existing"[\s\S]*--name: /,
      localEnvironment(refusals.gateway),
    );
    await fails(
      5,
      ['upstreams', 'delete', 'existing'],
      /is used by the route "existing"[\s\S]*--cascade/,
      remoteEnvironment(refusals.gateway, tokens.write),
    );
    await fails(5, ['keys', 'update', 'other', '--name', 'existing'], /Conflict/, remoteEnvironment(refusals.gateway, tokens.write));
  });

  test('6: nobody there', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    await fails(6, create, /cannot reach http:\/\/127\.0\.0\.1:\d+: connection refused/, {
      APIGATE_SERVER: nowhere,
      APIGATE_TOKEN: tokens.write,
    });
    await fails(6, [...create, '--server', 'http://nobody.invalid'], /cannot reach http:\/\/nobody\.invalid: the host name/, {
      APIGATE_TOKEN: tokens.write,
    });
  });

  test('1: somebody else there, or no database', async () => {
    const server = http.createServer((_request, response) => response.end('<h1>It works!</h1>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    await fails(1, create, /does not answer like an APIGate admin API/, {
      APIGATE_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      APIGATE_TOKEN: tokens.write,
    });
    server.close();
    await fails(1, [...create, '--database', 'nowhere.db'], /There is no database at .*nowhere\.db/, {});
  });
});
