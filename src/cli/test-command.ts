import { Option } from 'commander';
import type { DoctorFinding } from '../model/doctor-finding.ts';
import { maxTestWait, testMethods, type UpstreamTest } from '../model/upstream-test.ts';
import type { CliCommand } from './cli-command.ts';
import { ApiFailure, exitCodes, usageError } from './cli-error.ts';
import type { CommandCall, CommandHost } from './command-call.ts';
import { addFieldFlags, fieldsGiven, flagOfField, parsedOption, wholeNumber, type FieldFlag } from './field-flags.ts';
import { testUpstreams } from './doctor-upstreams.ts';
import { formatFinding } from './output/format-finding.ts';
import { formatTest } from './output/format-test.ts';
import { defineCommand, itemOf, listAll, resourcePath } from './resource-commands.ts';

const requestFlags: readonly FieldFlag[] = [
  { flags: '--path <path>', help: "path to ask for, behind the URL's own (default: the URL itself)", field: 'path' },
  { flags: '--method <method>', help: 'how to ask (default: GET)', field: 'method', choices: testMethods },
  {
    flags: '--wait <ms>',
    help: `longest wait for the answer, in milliseconds; never more than --timeout, and ${maxTestWait} at most`,
    field: 'wait_ms',
    value: wholeNumber,
  },
];

/** A test may take this long at the server: connecting, the answer, the first byte of its body. */
const testTimeout = 60_000;

export interface TestCommandParts {
  /** Flags of an upstream's fields: with them, a test is of an upstream that is not saved, or of changes to one. */
  readonly fields: readonly FieldFlag[];
  readonly addFilesAndSecret: (call: CommandCall, fields: Record<string, unknown>) => Promise<void>;
}

/** `apigate upstreams test` */
export function addTestCommand(group: CliCommand, host: CommandHost, parts: TestCommandParts): void {
  const text = {
    summary: 'try an upstream, and tell what is wrong with it',
    examples: [
      'apigate upstreams test my-api',
      'apigate upstreams test my-api --path /health',
      'apigate upstreams test --url http://localhost:3000',
      'apigate upstreams test --all',
      'apigate upstreams test my-api --auth-value-file new-token.txt',
    ],
  };
  const command = defineCommand(group, 'test', text, host, async (call) => {
    if (call.options['all'] === true) return await testAll(call, parts);
    const test = await runTest(call, parts);
    if (call.print.format === 'table') call.print.data(formatTest(test, call.print.style));
    else await call.print.one({ ...test }, 'answers');
    return isFailure(test, call.options['fail'] === true) ? exitCodes.failure : exitCodes.ok;
  });
  addFieldFlags(command, requestFlags);
  command.option('--all', 'test every enabled upstream');
  command.addOption(new Option('--fail', 'also exit with 1 where it answers 400 or more, or with a sign-in page'));
  addFieldFlags(
    command,
    parts.fields.filter(({ flags }) => !/^--(?:name|description|enabled|disabled)\b/.test(flags)),
  );
  command.argument('[id]', 'id or name of the upstream; without it, --url says what to test');
  command.addHelpText(
    'after',
    '\nOther flags of an upstream test it as it would be with them; nothing is saved.\nExit codes: 0 it answers (with whatever status), 1 it does not, 3 there is no such upstream.',
  );
}

/** Tests of all of them may take this long together, milliseconds. */
const timeForAll = 300_000;

async function testAll(call: CommandCall, { fields }: TestCommandParts): Promise<number> {
  const { print, options } = call;
  if (call.args.length > 0) throw usageError('--all and the name of an upstream exclude each other');
  const [field] = Object.keys(fieldsGiven(call.command, fields));
  if (field !== undefined)
    throw usageError(`--all and ${flagOfField(fields, field)} exclude each other`, 'all are tested as they are saved');
  const request = fieldsGiven(call.command, requestFlags);
  const wait = Number(request['wait_ms'] ?? maxTestWait);
  if (wait < 1 || wait > maxTestWait) throw usageError(`--wait takes 1 to ${maxTestWait} milliseconds`);
  const admin = await call.admin();
  const items = await listAll(admin, '/admin/upstreams', new URLSearchParams({ enabled: 'true' }));
  if (items.length === 0 && print.format === 'table') print.note('No upstream is enabled.');
  const upstreams = items.map((item) => ({ id: String(item['id']), name: String(item['name']), timeout_ms: Number(item['timeout_ms']) }));
  const findings: DoctorFinding[] = [];
  let silent = false;
  const tests = testUpstreams(
    upstreams,
    async ({ id }, waitMs) => {
      const body = { ...request, wait_ms: waitMs };
      const answer = await admin.request('POST', `/admin/upstreams/${id}/test`, body, { timeoutMs: testTimeout });
      const test = itemOf(answer) as unknown as UpstreamTest;
      silent ||= !test.answers;
      return test;
    },
    { time: timeForAll, wait },
  );
  for await (const finding of tests) {
    findings.push(finding);
    if (print.format === 'table') print.data(formatFinding(finding, print.style));
  }
  if (print.format !== 'table')
    await print.list(
      findings.map((finding) => ({ ...finding })),
      () => Promise.resolve([]),
      'check',
    );
  const bad = options['fail'] === true ? ['broken', 'warning', 'skipped'] : ['broken', 'skipped'];
  return silent || findings.some(({ result }) => bad.includes(result)) ? exitCodes.failure : exitCodes.ok;
}

async function runTest(call: CommandCall, { fields, addFilesAndSecret }: TestCommandParts): Promise<UpstreamTest> {
  const [reference] = call.args;
  const given = fieldsGiven(call.command, fields);
  await addFilesAndSecret(call, given);
  if (reference === undefined && parsedOption(call.command, 'url') === undefined)
    throw usageError('which upstream?', 'give its name, --url for one that is not saved, or --all: apigate upstreams test --help');
  const path =
    reference === undefined
      ? '/admin/upstreams/test'
      : `${resourcePath({ path: '/admin/upstreams', singular: 'upstream' }, reference)}/test`;
  const body = { ...(Object.keys(given).length === 0 ? {} : { upstream: given }), ...fieldsGiven(call.command, requestFlags) };
  const flagOf = (field: string): string | undefined =>
    field.startsWith('upstream.') ? flagOfField(fields, field.slice('upstream.'.length)) : flagOfField(requestFlags, field);
  const answer = await (await call.admin()).request('POST', path, body, { timeoutMs: testTimeout }).catch((error: unknown) => {
    throw error instanceof ApiFailure ? new ApiFailure(error.problem, flagOf) : error;
  });
  return itemOf(answer) as unknown as UpstreamTest;
}

function isFailure({ answers, answer, problem }: UpstreamTest, strict: boolean): boolean {
  return !answers || (strict && ((answer?.status ?? 0) >= 400 || problem !== null));
}
