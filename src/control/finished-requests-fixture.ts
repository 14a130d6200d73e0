// For tests: lines as workers write them about finished requests.

export interface LineFields {
  readonly request_id?: string;
  readonly status?: number;
  readonly code?: string;
  readonly level?: 'info' | 'warn' | 'error';
  readonly path?: string;
  readonly time?: string;
  readonly route?: string;
  readonly method?: string;
}

/** What a worker would hand over for these requests. */
export function finishedLines(requests: readonly LineFields[]): { lines: Uint8Array; count: number; errors: boolean } {
  const lines = requests.map(({ level = 'info', code, ...fields }) =>
    JSON.stringify({
      level,
      time: '2027-01-15T08:00:00.123Z',
      msg: 'request',
      request_id: 'id',
      method: 'GET',
      host: 'api.test',
      path: '/',
      status: 200,
      outcome: code === undefined ? 'ok' : 'rejected',
      duration_ms: 1.5,
      upstream_ms: 1,
      route: 'rt_0000000000000001',
      upstream: 'up_0000000000000001',
      key: 'anonymous',
      remote: '192.0.2.1',
      bytes_in: 0,
      bytes_out: 1,
      attempts: 1,
      ...fields,
      ...(code === undefined ? {} : { code }),
    }),
  );
  const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const own = new Uint8Array(text.length);
  own.set(text);
  return { lines: own, count: requests.length, errors: requests.some(({ code, status = 200 }) => code !== undefined || status >= 500) };
}
