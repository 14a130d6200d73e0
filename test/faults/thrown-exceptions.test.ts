import assert from 'node:assert/strict';
import { dirname, extname, join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { useGateway } from '../support/harness.ts';
import { fetchRaw, RawClient } from '../support/raw-client.ts';
import { entry } from '../support/start-gateway.ts';

// Loaded into each worker: what no request should be able to bring about is brought about by the paths that ask for it.
const source = (path: string): string => JSON.stringify(pathToFileURL(join(dirname(entry), `../${path}${extname(entry)}`)).href);
const defects = `
  import { workerData } from 'node:worker_threads';
  if (typeof workerData?.index === 'number') {
    const { RouteTable } = await import(${source('gateway/match/route-table')});
    const { ExchangeRecorder } = await import(${source('gateway/record/exchange-recorder')});
    const { match } = RouteTable.prototype;
    RouteTable.prototype.match = function (request) {
      if (request.path === '/throws') throw new Error('a defect that the test put in, with canary-8f21');
      return match.call(this, request);
    };
    const { record } = ExchangeRecorder.prototype;
    ExchangeRecorder.prototype.record = function (exchange) {
      if (exchange.path === '/unrecordable') throw new Error('a defect in the log');
      return record.call(this, exchange);
    };
  }
`;

const harness = useGateway({
  concurrent: true,
  env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(defects)}` },
});

async function errorsCounted(): Promise<number> {
  const text = await (await fetch(`${harness.gateway.url}/metrics`)).text();
  return Number(/^apigate_errors_total\{code="internal_error"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

const isDefect = (line: Record<string, unknown>): boolean => String(line['msg']).startsWith('a defect in APIGate');

test('K07 an exception while a request is handled: that request is 500 without a word of the cause, others are served, it is counted', async () => {
  const before = await errorsCounted();
  using other = await RawClient.connect(harness.port);
  assert.equal((await other.request('GET', { target: '/other' })).status, 200);
  const answer = await fetchRaw(harness.port, 'GET', { target: '/throws' });
  assert.equal(answer.status, 500);
  assert.equal(answer.json()['code'], 'internal_error');
  assert.doesNotMatch(answer.body.toString(), /canary|defect that/);
  const posted = await fetchRaw(harness.port, 'POST', { target: '/throws', body: 'x'.repeat(100_000) });
  assert.equal(posted.status, 500);
  assert.equal((await other.request('GET', { target: '/other' })).status, 200, 'the worker lives');
  await eventually(async () => (await errorsCounted()) === before + 2, 'both are counted');
  const record = await harness.gateway.record(({ request_id: id }) => id === answer.value('x-request-id'));
  assert.deepEqual([record['level'], record['code'], record.status], ['error', 'internal_error', 500]);
  await toldAndForgotten('canary-8f21', 2);
});

test('K07 an exception while a request is recorded: its answer is what it was, and the connection goes on', async () => {
  using client = await RawClient.connect(harness.port);
  for (let round = 0; round < 3; round += 1) {
    await client.send('GET /unrecordable HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const line = await client.stream.line(performance.now() + 10_000, 'an answer');
    assert.equal(line, 'HTTP/1.1 200 OK');
    await client.stream.line(performance.now() + 10_000, 'a field');
    while ((await client.stream.line(performance.now() + 10_000, 'the rest of the head')) !== '');
    await client.stream.exactly('GET /unrecordable 0'.length, performance.now() + 10_000, 'the body');
  }
  assert.equal((await client.request('GET', { target: '/recorded' })).status, 200);
  await toldAndForgotten('a defect in the log', 3);
});

/** The log tells of each defect, with its cause. The harness fails a test whose gateway tells of one: here that is what is wanted. */
async function toldAndForgotten(cause: string, times: number): Promise<void> {
  const told = (): Record<string, unknown>[] =>
    harness.gateway.lines.filter((line) => isDefect(line) && JSON.stringify(line).includes(cause));
  await eventually(
    () => told().length === times,
    () => `${times} lines of "${cause}"; there are ${told().length}`,
  );
  for (const line of told()) line['msg'] = `expected: ${String(line['msg'])}`;
}
