import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../errors/gateway-error.ts';
import { finishedRequestSchema } from '../model/finished-request.ts';
import { FinishedRequests } from './finished-requests.ts';
import { finishedLines, type LineFields } from './finished-requests-fixture.ts';
import { finishedRequestTexts, parseRecordedRequest } from './recorded-request.ts';
import { lineMatcher, requestMatcher } from './request-filter.ts';

function filled(requests: readonly LineFields[], options: ConstructorParameters<typeof FinishedRequests>[0] = {}): FinishedRequests {
  const finished = new FinishedRequests(options);
  for (const request of requests) finished.take(finishedLines([request]));
  return finished;
}

const ids = (page: { readonly data: readonly { readonly id: string }[] }): string[] => page.data.map(({ id }) => id);

describe('requests that ended', () => {
  it('neither traffic nor refused clients push failures out, nor failures the refused', () => {
    const finished = filled(
      [
        { request_id: 'failed', status: 502, code: 'upstream_reset', level: 'warn' },
        { request_id: 'refused', status: 401, code: 'invalid_api_key' },
        { request_id: 'their-500', status: 500 },
        ...Array.from({ length: 20 }, (_, at) => ({ request_id: `not-found-${at}`, status: 404, code: 'route_not_found' })),
        ...Array.from({ length: 100 }, (_, at) => ({ request_id: `well-${at}` })),
      ],
      { maxRequests: 10, maxErrors: 4 },
    );
    assert.deepEqual(ids(finished.list({}, {})), [
      ...Array.from({ length: 10 }, (_, at) => `well-${99 - at}`),
      ...[19, 18, 17, 16].map((at) => `not-found-${at}`),
      'their-500',
      'failed',
    ]);
    assert.deepEqual(ids(finished.list({ failed: true }, {})), ['their-500', 'failed']);
    assert.equal(finished.find('failed').fault, 'upstream');
    assert.equal(finished.find('their-500').fault, null);
    assert.throws(
      () => finished.find('refused'),
      (error) => error instanceof GatewayError && error.code === 'not_found',
    );
  });

  it('a request is never listed twice, though its error is kept twice', () => {
    const finished = filled([{ request_id: 'a', status: 502, code: 'upstream_reset', level: 'warn' }, { request_id: 'b' }]);
    assert.deepEqual(ids(finished.list({}, {})), ['b', 'a']);
  });

  it('pages stay where they are while more requests end', () => {
    const finished = filled(Array.from({ length: 5 }, (_, at) => ({ request_id: `r${at}` })));
    const first = finished.list({}, { limit: 2 });
    assert.deepEqual(ids(first), ['r4', 'r3']);
    finished.take(finishedLines([{ request_id: 'later' }]));
    const second = finished.list({}, { limit: 2, cursor: first.next_cursor! });
    assert.deepEqual(ids(second), ['r2', 'r1']);
    const third = finished.list({}, { limit: 2, cursor: second.next_cursor! });
    assert.deepEqual([ids(third), third.next_cursor, third.total], [['r0'], null, 6]);
  });

  it('each filter lets through what it says', () => {
    const finished = filled([
      { request_id: 'a', status: 404, code: 'route_not_found', path: '/a', method: 'POST' },
      { request_id: 'b', status: 200, path: '/b/c', time: '2027-01-15T09:00:00.000Z' },
      { request_id: 'own', status: 200, route: '' },
      { request_id: 'gone', status: 0 },
    ]);
    const with_ = (filter: Parameters<FinishedRequests['list']>[0]): string[] => ids(finished.list(filter, {}));
    assert.deepEqual(with_({}), ['gone', 'b', 'a']);
    assert.deepEqual(with_({ own: true }), ['gone', 'own', 'b', 'a']);
    assert.deepEqual(with_({ status: '4xx' }), ['a']);
    assert.deepEqual(with_({ status: '200' }), ['b']);
    assert.deepEqual(with_({ status: 'none' }), ['gone']);
    assert.deepEqual(with_({ code: 'route_not_found' }), ['a']);
    assert.deepEqual(with_({ method: 'POST' }), ['a']);
    assert.deepEqual(with_({ path: '/b' }), ['b']);
    assert.deepEqual(with_({ host: 'API.test' }), ['gone', 'b', 'a']);
    assert.deepEqual(with_({ since: Date.parse('2027-01-15T08:30:00Z') }), ['b']);
    assert.deepEqual(with_({ keyId: 'anonymous', failed: false }), ['gone', 'b', 'a']);
    assert.deepEqual(with_({ routeId: 'rt_1' }), []);
  });

  it('an id that a proxy made up of quotes and backslashes is found, and only whole', () => {
    const finished = filled([{ request_id: '"a\\","code":"' }]);
    assert.equal(finished.find('"a\\","code":"').code, null);
    assert.throws(() => finished.find('"a'));
  });
});

describe('a request told as it ends', () => {
  const line = (fields: Record<string, unknown>): string => {
    const { lines } = finishedLines([fields]);
    return Buffer.from(lines).toString('latin1').trimEnd();
  };
  const written = [
    {},
    { status: 404 },
    { status: 500 },
    { status: 0 },
    { status: 101, frames_in: 3, frames_out: 4 },
    { events: 12 },
    { status: 404, code: 'route_not_found', route: '', upstream: '' },
    { status: 502, code: 'upstream_reset', level: 'warn', phase: 'wait', reason: 'it said "no", \\ and left' },
    { key: 'key_0000000000000001', attempts: 12, bytes_out: 2 ** 40 },
    { route: '', upstream: '' },
    { request_id: 'a"b\\"c\\', path: '/"attempts":1,"route":"rt_1","status":500' },
    { path: '/ends-in-backslash\\', host: '","remote":"' },
    { method: '","status":', request_id: '","method":"' },
  ];

  it('is what it is when it is asked for later, however it was written', () => {
    const texts = finishedRequestTexts(written.map(line), (id) => JSON.stringify(`name of ${id}`));
    for (const [at, text] of texts.entries()) {
      const request = parseRecordedRequest(line(written[at]!));
      const name = (id: string | null): string | null => (id === null ? null : `name of ${id}`);
      const named = { ...request, route: name(request.route_id), upstream: name(request.upstream_id), key: name(request.key_id) };
      assert.deepEqual(finishedRequestSchema.parse(JSON.parse(text)), named, text);
    }
  });

  it('is told to whoever asked for it, by the same filters', () => {
    const filters = [
      {},
      { own: true },
      { failed: true },
      { failed: false },
      { status: '4xx' },
      { status: '404' },
      { status: 'none' },
      { code: 'upstream_reset' },
      { outcome: 'rejected' },
      { method: 'GET' },
      { host: 'API.test' },
      { host: '","remote":"' },
      { path: '/"attempts' },
      { path: '/ends' },
      { routeId: 'rt_0000000000000001', status: '2xx' },
      { routeId: 'rt_1' },
      { upstreamId: 'up_0000000000000001' },
      { keyId: 'anonymous' },
      { keyId: 'key_0000000000000001' },
      { since: Date.parse('2027-01-15T09:00:00Z') },
    ];
    for (const filter of filters) {
      const all = written.map(line);
      const [byLine, byRequest] = [lineMatcher(filter), requestMatcher(filter)];
      assert.deepEqual(
        all.filter(byLine),
        all.filter((text) => byRequest(parseRecordedRequest(text))),
        JSON.stringify(filter),
      );
    }
  });
});
