export type AdminMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A 2xx answer of the admin API. */
export interface AdminAnswer {
  readonly status: number;
  /** Parsed JSON; undefined when there is no body. */
  readonly body: unknown;
  readonly headers: Headers;
}

export interface RequestOptions {
  /** How long a server may take to answer, in milliseconds; 30 s when not given. */
  readonly timeoutMs?: number;
}

/** The admin API, wherever it runs: in this process on the local database, or behind a URL. */
export interface AdminClient {
  /**
   * `path` begins with `/admin/`, its parts percent-encoded. Throws ApiFailure for an answer of 4xx or 5xx, and
   * CliError `unreachable` where there is no answer.
   */
  request(method: AdminMethod, path: string, body?: unknown, options?: RequestOptions): Promise<AdminAnswer>;
  /** Waits until a running gateway serves at least `revision`, 2 s at most. */
  waitUntilServed(revision: number): Promise<'served' | 'no-gateway' | 'timeout'>;
  /** Where the gateway takes traffic, without a slash at the end; a guess, for hints only. */
  readonly trafficUrl: string;
  close(): Promise<void>;
}
