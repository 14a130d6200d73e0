import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AdminSession } from '../support/admin-session.ts';
import { type Exposed, useGateway } from '../support/harness.ts';
import type { Field } from '../support/message-reader.ts';
import { fetchRaw, type RawResponse } from '../support/raw-client.ts';
import { answerOk } from '../support/scripted-upstream.ts';

const harness = useGateway({ admin: true, script: false, concurrent: true, prepare });

let session: AdminSession;
/** Takes keys from the query. */
let browsers: Exposed;
/** Takes keys from headers only. */
let guarded: Exposed;
/** Needs no key. */
let open: Exposed;
let id = '';
let key = '';
let otherKey = '';

async function prepare(): Promise<void> {
  session = await AdminSession.signIn(harness.gateway);
  [browsers, guarded, open] = [
    await harness.exposed({}, answerOk),
    await harness.exposed({}, answerOk),
    await harness.exposed({}, answerOk),
  ];
  await session.must('PUT', `/routes/${browsers.routeId}`, { auth_required: true, api_key_query: true });
  await session.must('PUT', `/routes/${guarded.routeId}`, { auth_required: true });
  const made = await session.must('POST', '/keys', { name: 'one' });
  [id, key] = [String(made['id']), String(made['key'])];
  otherKey = String((await session.must('POST', '/keys', { name: 'two' }))['key']);
  // No log line, no answer, no file of the gateway may hold them.
  harness.invariants.canaries.push(key, otherKey);
}

async function ask(place: Exposed, query: string, fields: readonly Field[] = []): Promise<RawResponse> {
  return await fetchRaw(harness.port, 'GET', { target: `${place.path}/x${query}`, fields });
}

/** The query that arrives upstream of a request that must pass. */
async function forwarded(place: Exposed, query: string, fields: readonly Field[] = []): Promise<string> {
  const response = await ask(place, query, fields);
  assert.equal(response.status, 200, `${query}: ${response.body.toString()}`);
  const request = place.upstream.requests.at(-1)!;
  assert.ok(request.target.startsWith(`${place.path}/x`));
  assert.ok(!`${request.target}${JSON.stringify(request.fields)}`.includes(key));
  return request.target.slice(place.path.length + 2);
}

async function refused(place: Exposed, query: string, fields: readonly Field[] = []): Promise<string> {
  const before = place.upstream.requests.length;
  const response = await ask(place, query, fields);
  assert.equal(place.upstream.requests.length, before, 'a refused request stays here');
  return `${response.status} ${String(response.json()['code'])}`;
}

const encoded = (text: string): string => Buffer.from(text).toString('hex').replaceAll(/../g, '%$&');

test('on a route that changes query and path the key is cut all the same, and no template shows it', async () => {
  const place = await harness.exposed({}, answerOk);
  await session.must('PUT', `/routes/${place.routeId}`, {
    auth_required: true,
    api_key_query: true,
    path_rewrite: '${path}',
    request_transform: { query: { set: { b: '2' } }, headers: { set: { 'X-Query': '[${query.api_key}${query.a}]' } } },
  });
  assert.equal(await forwarded(place, `?a=1&api_key=${key}`), '?a=1&b=2');
  assert.equal(place.upstream.requests.at(-1)!.value('x-query'), '[1]');
  await session.must('PUT', `/routes/${place.routeId}`, { request_transform: null });
  assert.equal(await forwarded(place, `?api_key=${key}&a=1`), '?a=1');
  // A key of ours ends here on a route that does not take it from there, too.
  await session.must('PUT', `/routes/${place.routeId}`, { auth_required: false, api_key_query: false });
  assert.equal(await forwarded(place, `?api_key=${key}&a=1&api_key=theirs`), '?a=1&api_key=theirs');
});

describe('on a route with api_key_query', () => {
  test('a key in the query opens, in any percent-encoding, is cut, and the rest stays byte for byte', async () => {
    for (const [sent, arrived] of [
      [`?api_key=${key}`, ''],
      [`?a=1&api_key=${key}`, '?a=1'],
      [`?api_key=${key}&a=1`, '?a=1'],
      [`?a=%2f&api_key=${key}&b=+%zz&&c`, '?a=%2f&b=+%zz&&c'],
      [`?api_key=${key}&`, '?'],
      [`?api%5Fkey=${key}`, ''],
      [`?%61%70%69%5f%6b%65%79=${encoded(key)}&x`, '?x'],
      [`?api_key=a%6B_${key.slice(3)}`, ''],
      [`?api_key=+${key}%20`, ''],
      // The parameter is the gateway's there, whatever it holds.
      [`?api_key=${key}&api_key=${key}&api_key&api_key=&api_key=theirs`, ''],
      [`?api_keys=1&xapi_key=2&API_KEY=3&api_key%3D=4&api_key=${key}`, '?api_keys=1&xapi_key=2&API_KEY=3&api_key%3D=4'],
    ] as const) {
      assert.equal(await forwarded(browsers, sent), arrived, sent);
      const request = browsers.upstream.requests.at(-1)!;
      assert.deepEqual(request.values('x-key-id'), [id]);
    }
  });

  test('a key in a header does as well, and the same one in both', async () => {
    assert.equal(await forwarded(browsers, '?a=1', [['X-API-Key', key]]), '?a=1');
    assert.equal(await forwarded(browsers, `?a=1&api_key=${key}`, [['X-API-Key', key]]), '?a=1');
    assert.equal(await forwarded(browsers, `?a=1&api_key=${key}`, [['Authorization', `Bearer ${key}`]]), '?a=1');
    assert.equal(await forwarded(browsers, '?api_key=theirs&a=1', [['X-API-Key', key]]), '?a=1');
  });

  test('two different keys are 401, wherever they stand', async () => {
    assert.equal(await refused(browsers, `?api_key=${key}&api_key=${otherKey}`), '401 invalid_api_key');
    assert.equal(await refused(browsers, `?api_key=${key}&api_key=${key}0`), '401 invalid_api_key');
    assert.equal(await refused(browsers, `?api_key=${key}`, [['X-API-Key', otherKey]]), '401 invalid_api_key');
    assert.equal(await refused(browsers, `?api_key=${key}`, [['Authorization', `Bearer ${otherKey}`]]), '401 invalid_api_key');
  });

  test('no key, or one that is none, is 401', async () => {
    for (const query of ['', '?', '?api_key', '?api_key=', '?api_key=theirs', `?key=${key}`, `?a=1;api_key=${key}`, `?API_KEY=${key}`])
      assert.equal(await refused(browsers, query), '401 missing_api_key', query);
    for (const value of ['ak_', `ak_${'0'.repeat(64)}`, `${key}0`, key.slice(0, -1), `${key},${key}`, `ak%255F${key.slice(3)}`])
      assert.match(await refused(browsers, `?api_key=${value}`), /^401 (?:invalid|missing)_api_key$/, value);
  });
});

describe('on other routes', () => {
  test('a key in the query opens nothing', async () => {
    assert.equal(await refused(guarded, `?api_key=${key}`), '401 missing_api_key');
  });

  test('a key of ours is cut all the same, also where none is needed; what is no key passes untouched', async () => {
    for (const [place, fields] of [
      [guarded, [['X-API-Key', key]]],
      [open, []],
    ] as const) {
      for (const [sent, arrived] of [
        [`?a=1&api_key=${key}&b=2`, '?a=1&b=2'],
        [`?a=1&api%5fkey=%61k_${key.slice(3)}&b=2`, '?a=1&b=2'],
        [`?api_key=${otherKey}`, ''],
        ['?api_key=ak_anything', ''],
        ['?a=1&api_key=theirs&b=2', '?a=1&api_key=theirs&b=2'],
        ['?api_key&api_key=', '?api_key&api_key='],
        ['?', '?'],
        ['?&&', '?&&'],
      ] as const) {
        assert.equal(await forwarded(place, sent, fields), arrived, sent);
      }
    }
  });

  test('the query stands in no log line', async () => {
    const response = await ask(open, `?api_key=${key}&marker=unmistakable`);
    const record = await harness.gateway.record((each) => each.request_id === response.value('x-request-id'));
    assert.equal(record.path, `${open.path}/x`);
    assert.ok(!harness.gateway.output.includes('unmistakable') && !harness.gateway.output.includes(key));
  });
});
