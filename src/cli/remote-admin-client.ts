import type { AdminAnswer, AdminClient, AdminMethod, RequestOptions } from './admin-client.ts';
import { CliError, exitCodes, usageError } from './cli-error.ts';
import { type CountBytes, readAnswer, readStream } from './read-answer.ts';

const usualTimeout = 30_000;

/** What the other side may do to this one, whatever it is. */
export interface RemoteLimits {
  /**
   * Bytes of one answer. An export of 10,000 routes has 4 MB; the admin API itself takes bodies of 10 MiB at most, which hold the
   * largest gateway config that can be applied in one go.
   */
  readonly answerBytes: number;
  /** Bytes of all answers together: the pages of a list may go on and on. */
  readonly allBytes: number;
  /** Milliseconds in which the head of a stream must be there, and then something of it again and again: a gateway writes every five seconds. */
  readonly streamSilence: number;
}

const mebibyte = 1024 * 1024;
const usualLimits: RemoteLimits = { answerBytes: 64 * mebibyte, allBytes: 256 * mebibyte, streamSilence: 30_000 };

/** Speaks REST to a running gateway. The token is an API token (`agt_…`). */
export class RemoteAdminClient implements AdminClient {
  readonly trafficUrl: string;
  readonly isRemote = true;
  private readonly base: string;
  private readonly token: string;
  private readonly limits: RemoteLimits;
  private bytesLeft: number;

  constructor(server: string, token: string, limits: Partial<RemoteLimits> = {}) {
    this.base = baseUrl(server);
    this.trafficUrl = this.base;
    this.token = token;
    this.limits = { ...usualLimits, ...limits };
    this.bytesLeft = this.limits.allBytes;
  }

  async request(method: AdminMethod, path: string, body?: unknown, options: RequestOptions = {}): Promise<AdminAnswer> {
    const timeoutMs = options.timeoutMs ?? usualTimeout;
    const headers: Record<string, string> = { accept: 'application/json', authorization: `Bearer ${this.token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    let response: Response;
    try {
      response = await fetch(this.base + path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      return await readAnswer(response, this.base, this.counter());
    } catch (error) {
      throw error instanceof CliError ? error : unreachable(this.base, error, timeoutMs);
    }
  }

  async stream(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    const { streamSilence } = this.limits;
    const silence = new Silence(streamSilence);
    try {
      const response = await fetch(this.base + path, {
        headers: { ...headers, authorization: `Bearer ${this.token}` },
        redirect: 'manual',
        signal: AbortSignal.any([signal, silence.signal]),
      });
      silence.broken();
      const stream = await readStream(response, this.base, this.counter());
      return new Response(stream.body?.pipeThrough(silence.watch()) ?? null, stream);
    } catch (error) {
      silence.end();
      if (signal.aborted) throw error;
      throw error instanceof CliError ? error : unreachable(this.base, error, streamSilence);
    }
  }

  private counter(): CountBytes {
    const { answerBytes, allBytes } = this.limits;
    let left = answerBytes;
    return (bytes) => {
      left -= bytes;
      this.bytesLeft -= bytes;
      if (left < 0) throw tooLong(this.base, `more than ${answerBytes / mebibyte} MiB`);
      if (this.bytesLeft < 0) throw tooLong(this.base, `more than ${allBytes / mebibyte} MiB, on page after page`);
    };
  }

  /** A write that answered 2xx is live. */
  waitUntilServed(): Promise<'served'> {
    return Promise.resolve('served');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Ends what has been silent for too long. */
class Silence {
  readonly #end = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(longestMs: number) {
    const silent = (): void => this.#end.abort(new DOMException('silent for too long', 'TimeoutError'));
    // The connection keeps the process; where that is gone, nothing is waited for.
    this.#timer = setTimeout(silent, longestMs).unref();
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  broken(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  watch(): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: (chunk, out) => {
        this.broken();
        out.enqueue(chunk);
      },
      flush: () => this.end(),
      cancel: () => this.end(),
    });
  }
}

/** `host:port` alone is http. A path is kept, for an admin API behind another proxy. */
function baseUrl(server: string): string {
  const text = /^[a-z][a-z\d+.-]*:\/\//i.test(server) ? server : `http://${server}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usageError(`--server: "${server}" is not an http:// or https:// URL`, 'write it as in http://localhost:8080');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw usageError('--server takes no user, query or fragment', 'put the API token into APIGATE_TOKEN');
  }
  return url.origin + url.pathname.replace(/\/+$/, '').replace(/\/admin$/, '');
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be resolved just now',
  ECONNRESET: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection was closed',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on this port',
};

function tooLong(server: string, how: string): CliError {
  return new CliError(
    exitCodes.failure,
    `${server} answers with ${how}: the rest was not read`,
    'check the address given with --server or APIGATE_SERVER; with --limit or a filter there is less to read',
  );
}

function unreachable(server: string, error: unknown, timeoutMs: number): CliError {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new CliError(exitCodes.unreachable, `${server} did not answer within ${timeoutMs / 1000} s`);
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = codeOf(cause);
  if (cause instanceof Error && cause.message === 'bad port') {
    return new CliError(
      exitCodes.unreachable,
      `${server} has a port that HTTP clients refuse to use`,
      'the Fetch standard reserves it for another protocol: give the admin plane another port',
    );
  }
  const reason = reasons[code] ?? (cause instanceof Error ? cause.message : String(cause));
  const untrusted = reason.includes('unknown authority')
    ? 'trust its CA by setting NODE_EXTRA_CA_CERTS to a PEM file'
    : 'is the gateway running, and is the address right?';
  return new CliError(exitCodes.unreachable, `cannot reach ${server}: ${reason}`, untrusted);
}

/** Where several addresses were tried, Node wraps the errors: the first one speaks for all. */
function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError) return codeOf(cause.errors[0]);
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
