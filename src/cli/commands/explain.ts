import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AskedHeader, Explanation } from '../../model/explanation.ts';
import { CliCommand } from '../cli-command.ts';
import { ApiFailure, usageError } from '../cli-error.ts';
import type { CliPorts } from '../cli-ports.ts';
import { runs, type CommandCall, type CommandHost } from '../command-call.ts';
import { type DeclaredInput, declaredInput, problemText } from '../declarative/declared-input.ts';
import { PlacedErrors, placedErrors } from '../declarative/placed-errors.ts';
import { readSources } from '../declarative/read-sources.ts';
import { formatExplanation } from '../output/format-explanation.ts';
import { addExamples, itemOf } from '../resource-commands.ts';

/** `apigate explain` */
export function explainCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('explain');
  command.globals = 'all';
  command.argument('<method>', 'GET, POST, …; may be left out: then it is GET, or POST with --data');
  command.argument('[url]', 'a whole URL, or a path');
  command.option('-H, --header <header>', "'Name: value', as a client sends it; repeatable", header, []);
  command.option('-d, --data <body>', 'the body: text, @file, or @- for standard input');
  command.option('-f, --file <path>', 'explain with a draft: what apply with this file would make of it; repeatable', pathAfter, []);
  command.option('--prune', 'with --file: as apply --prune, without what the files do not name');
  command.option('--client <address>', "the client's address (default: 127.0.0.1)");
  addExamples(command, [
    'apigate explain GET http://api.example.com/v1/users',
    "apigate explain POST http://api.example.com/v1/users -H 'X-API-Key: ak_…' -H 'Content-Type: application/json' -d @user.json",
    'apigate explain GET http://api.example.com/v1/users -f draft.yaml',
    'apigate explain GET http://api.example.com/v1/users -o json',
  ]);
  command.addHelpText(
    'after',
    '\nNothing is sent. Where a gateway runs on the database, it is asked: its settings and environment count.\nCredentials and API keys are never shown.',
  );
  return runs(command, host, async (call) => {
    const { options } = call;
    const paths = options['file'] as readonly string[];
    if (options['prune'] === true && paths.length === 0) throw usageError('--prune only goes with --file');
    const data = options['data'] === undefined ? null : await readBody(call.ports, options['data'] as string);
    const [first = '', second] = call.args;
    const [method, url] = second === undefined ? [data === null ? 'GET' : 'POST', first] : [first, second];
    if (second === undefined && !/[/:]|^\*$/.test(first))
      throw usageError(
        'the URL is missing',
        `write it as in: apigate explain ${/^[A-Za-z]+$/.test(first) ? first : 'GET'} http://localhost:8080/path`,
      );
    const draft = paths.length === 0 ? undefined : draftOf(declaredInput(await readSources(call.ports, paths)));
    const body = {
      method,
      url,
      headers: options['header'] as readonly AskedHeader[],
      body: data,
      ...(options['client'] === undefined ? {} : { client_address: options['client'] as string }),
      ...(draft === undefined ? {} : { config: draft.body, prune: options['prune'] === true }),
    };
    const explanation = await ask(call, body, draft);
    if (call.print.format === 'table') call.print.data(formatExplanation(explanation, call.print.style));
    else await call.print.one(explanation, 'route');
  });
}

async function ask(call: CommandCall, body: object, draft: DeclaredInput | undefined): Promise<Explanation> {
  const answer = await (await call.admin()).request('POST', '/admin/explain', body).catch((error: unknown) => {
    const placed = draft === undefined ? undefined : placedErrors(error, draft, ' in the draft', 'config.');
    throw placed ?? (error instanceof ApiFailure ? new ApiFailure(error.problem, flagOf) : error);
  });
  return itemOf(answer) as Explanation;
}

function flagOf(field: string): string | undefined {
  const [top = ''] = field.split('.');
  return {
    method: 'METHOD',
    url: 'URL',
    headers: '--header',
    body: '--data',
    client_address: '--client',
    config: '--file',
    prune: '--prune',
  }[top];
}

function draftOf(input: DeclaredInput): DeclaredInput {
  if (input.problems.length > 0) throw new PlacedErrors(input.problems.map(problemText), ' in the draft');
  return input;
}

// The value is not repeated in the message: it may be a credential.
function header(text: string, previous: readonly AskedHeader[]): readonly AskedHeader[] {
  const colon = text.indexOf(':');
  if (colon <= 0) throw usageError('-H takes a name, a colon and a value', "write it as in -H 'X-Env: test'");
  return [...previous, { name: text.slice(0, colon), value: text.slice(colon + 1).replace(/^ /, '') }];
}

function pathAfter(path: string, paths: readonly string[]): readonly string[] {
  return [...paths, path];
}

const largest = 1024 * 1024;

async function readBody(ports: CliPorts, text: string): Promise<string> {
  if (!text.startsWith('@')) return text;
  const chunks: Uint8Array[] = [];
  if (text === '@-') {
    let size = 0;
    for await (const chunk of ports.stdin) {
      const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      size += piece.length;
      if (size > largest) throw usageError('--data: standard input holds more than 1 MiB');
      chunks.push(piece);
    }
  } else {
    const bytes = await readFile(resolve(ports.cwd, text.slice(1))).catch((error: unknown) => {
      throw usageError(`--data: ${error instanceof Error ? error.message : String(error)}`);
    });
    if (bytes.length > largest) throw usageError(`--data: ${text.slice(1)} is larger than 1 MiB`);
    chunks.push(bytes);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    throw usageError('--data is not UTF-8 text');
  }
}
