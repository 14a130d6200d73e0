import { problemMediaType, type Problem } from '../errors/problem.ts';
import { visibleText } from '../settings/visible-text.ts';
import type { AdminAnswer } from './admin-client.ts';
import { ApiFailure, CliError, exitCodes } from './cli-error.ts';

/** Told of each piece of an answer that has come, after what a content coding made of it; ends the reading by an error. */
export type CountBytes = (bytes: number) => void;

/**
 * Reads an answer of the admin API. `from` names the server in messages. Throws ApiFailure for a problem, CliError for anything else
 * that is no admin API's answer, and what `count` throws.
 */
export async function readAnswer(response: Response, from: string, count?: CountBytes): Promise<AdminAnswer> {
  const type = (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const text = await readText(response, count);
  const { status, headers } = response;
  if (status >= 200 && status < 300) {
    if (text === '') return { status, headers, body: undefined };
    if (type === 'application/json') return { status, headers, body: parse(text, from, status, type) };
  } else if (type === problemMediaType) {
    const problem = parse(text, from, status, type);
    if (isProblem(problem)) throw new ApiFailure(problem);
  } else if (status >= 300 && status < 400) {
    const location = headers.get('location') ?? 'somewhere else';
    throw new CliError(
      exitCodes.failure,
      `${from} redirects to ${visibleText(location)}`,
      'give the address of the admin API itself; tokens are not sent along redirects',
    );
  }
  throw notOurs(from, status, type);
}

/** The same for an answer that goes on and on, whose body is still to be read. */
export async function readStream(response: Response, from: string, count?: CountBytes): Promise<Response> {
  const type = (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (response.status === 200 && type === 'text/event-stream') return response;
  const { status } = await readAnswer(response, from, count);
  throw notOurs(from, status, type);
}

async function readText(response: Response, count: CountBytes = () => undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  // Leaving the loop cancels the rest.
  for await (const chunk of response.body ?? []) {
    count(chunk.byteLength);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function parse(text: string, from: string, status: number, type: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notOurs(from, status, type);
  }
}

function notOurs(from: string, status: number, type: string): CliError {
  const answer = type === '' ? `status ${status}` : `status ${status}, ${visibleText(type)}`;
  return new CliError(
    exitCodes.failure,
    `${from} does not answer like an APIGate admin API (${answer})`,
    'check the address given with --server or APIGATE_SERVER',
  );
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    typeof value.status === 'number' &&
    'detail' in value &&
    typeof value.detail === 'string' &&
    'title' in value &&
    typeof value.title === 'string'
  );
}
