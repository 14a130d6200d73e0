import { problemOfResponse, unreachable } from './api-problem.ts';
import type { CallInput, Method, Output, PathOf } from './admin-schema.ts';
import { gatewayAnswered, gatewayIsSilent, signedInAgain } from './session-state.ts';

/** An answer of 2xx. */
export interface Answer<T> {
  readonly value: T;
  /** For `ifMatch` of a change of this state. */
  readonly etag: string | undefined;
  /** Of the gateway config, that a change made; undefined also where an edit with `ifMatch` changed nothing. */
  readonly revision: number | undefined;
  /** About a change that was made all the same. */
  readonly warnings: readonly string[];
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** The ETag that a change was made for: another state answers 412. */
  readonly ifMatch?: string | undefined;
  /** Throws on 401 rather than waiting for a new sign-in: for whoever asks just that. */
  readonly throwOn401?: boolean;
}

/**
 * One call of the admin API, typed by it: `callApi('get', '/admin/keys/:id', { param: { id } })`. When the session has ended
 * it waits until somebody has signed in again and then repeats itself.
 * @throws ApiProblem
 */
export async function callApi<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  input: CallInput<M, P>,
  options: CallOptions = {},
): Promise<Answer<Output<M, P>>> {
  const response = await send(method, path, input, options);
  if (response.status === 401 && options.throwOn401 !== true) {
    await signedInAgain();
    return await callApi(method, path, input, options);
  }
  if (!response.ok) throw await problemOfResponse(response);
  const etag = response.headers.get('etag') ?? undefined;
  // What is so already makes no revision: then the API names the one that holds.
  const changedNothing = options.ifMatch !== undefined && etag === options.ifMatch;
  return {
    value: (response.status === 204 ? undefined : await response.json()) as Output<M, P>,
    etag,
    revision: changedNothing ? undefined : numberOf(response.headers.get('x-apigate-revision')),
    warnings: JSON.parse(response.headers.get('x-apigate-warnings') ?? '[]') as string[],
  };
}

/** As `callApi`, for those who want the body and nothing else. */
export async function readApi<P extends PathOf<'get'>>(
  path: P,
  input: CallInput<'get', P>,
  signal?: AbortSignal,
): Promise<Output<'get', P>> {
  return (await callApi('get', path, input, signal === undefined ? {} : { signal })).value;
}

interface AnyInput {
  readonly param?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly json?: unknown;
}

async function send(method: Method, path: string, input: AnyInput, { signal, ifMatch }: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (input.json !== undefined) headers['Content-Type'] = 'application/json';
  if (ifMatch !== undefined) headers['If-Match'] = ifMatch;
  const init: RequestInit = { method: method.toUpperCase(), headers, credentials: 'same-origin', cache: 'no-store' };
  if (input.json !== undefined) init.body = JSON.stringify(input.json);
  if (signal !== undefined) init.signal = signal;
  try {
    const response = await fetch(urlOf(path, input), init);
    gatewayAnswered();
    return response;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    gatewayIsSilent();
    throw unreachable();
  }
}

function urlOf(path: string, { param = {}, query = {} }: AnyInput): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(param[name] ?? ''));
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '');
  return given.length === 0 ? filled : `${filled}?${new URLSearchParams(given).toString()}`;
}

function numberOf(text: string | null): number | undefined {
  return text === null ? undefined : Number(text);
}
