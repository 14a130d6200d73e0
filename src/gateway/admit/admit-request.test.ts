import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import type { ApiKeyConfig } from '../../model/gateway-config.ts';
import { Admission, admitRequest } from './admit-request.ts';
import { anonymous, emptyApiKeyTable } from './api-key-table.ts';
import { rateLimitFields } from './rate-limit-fields.ts';
import { createRateSlots, RateLimiter } from './rate-limiter.ts';

const now = 1_800_000_000_000;
const keys = {
  plain: secret('1'),
  other: secret('2'),
  revoked: secret('3'),
  expired: secret('4'),
  limited: secret('5'),
  slow: secret('6'),
  lost: secret('7'),
};
const opened = 'rt_00000000000000aa';
const closed = 'rt_00000000000000bb';

function secret(digit: string): string {
  return `ak_${digit.repeat(64)}`;
}

function config(id: string, key: string, fields: Partial<ApiKeyConfig> = {}): ApiKeyConfig {
  return {
    id: `key_${id}`,
    name: id,
    prefix: key.slice(0, 12),
    hash: hash('sha256', key),
    routes: [],
    rate_limit_per_minute: null,
    expires_at: null,
    revoked: false,
    ...fields,
  };
}

const table = emptyApiKeyTable().with([
  config('plain', keys.plain),
  config('other', keys.other),
  config('revoked', keys.revoked, { revoked: true, expires_at: 1 }),
  config('expired', keys.expired, { expires_at: now }),
  config('limited', keys.limited, { routes: [opened] }),
  config('slow', keys.slow, { rate_limit_per_minute: 2 }),
  config('lost', keys.lost, { rate_limit_per_minute: 2 }),
]);

function admit(
  xApiKey?: string,
  authorization?: string,
  route: { id: `rt_${string}`; auth_required: boolean } = { id: opened, auth_required: true },
) {
  const admission = new Admission();
  const limiter = new RateLimiter();
  limiter.directory.learn(createRateSlots().assign(['key_slow']));
  return { refusal: admitRequest(admission, table, limiter, route, xApiKey, authorization, '', now, 0), admission, limiter };
}

test('a key is accepted in either place, the scheme in any case', () => {
  const ways: [string | undefined, string | undefined][] = [
    [keys.plain, undefined],
    [undefined, `Bearer ${keys.plain}`],
    [undefined, `bearer  ${keys.plain} `],
    [keys.plain, `BEARER ${keys.plain}`],
    [keys.plain, 'Basic dXNlcjpwYXNz'],
    [keys.plain, 'Bearer eyJhbGciOi'],
    ['something else', `Bearer ${keys.plain}`],
    [`${keys.plain}, ${keys.plain}`, undefined],
    [undefined, `Basic eA==, Bearer ${keys.plain}`],
  ];
  for (const [field, authorization] of ways) {
    const { refusal, admission } = admit(field, authorization);
    assert.equal(refusal, null, `${field} ${authorization}`);
    assert.equal(admission.key.id, 'key_plain');
    assert.equal(admission.rateLimited, false);
  }
});

test('without anything that is a key, the key is missing', () => {
  for (const [field, authorization] of [
    [undefined, undefined],
    ['', ''],
    ['abc', 'Basic YWtfYQ=='],
    [undefined, 'Bearer token'],
    [undefined, keys.plain],
    ['not,ak', 'Bearer'],
    [undefined, `Token ${keys.plain}`],
  ]) {
    const { refusal, admission } = admit(field, authorization);
    assert.equal(refusal, 'missing_api_key', `${field} ${authorization}`);
    assert.equal(admission.key, anonymous);
  }
});

test('unknown, mistyped and contradicting keys are invalid', () => {
  const wrong: [string | undefined, string | undefined][] = [
    [secret('9'), undefined],
    [keys.plain.slice(0, -1), undefined],
    [`${keys.plain}0`, undefined],
    [keys.plain.toUpperCase().replace('AK_', 'ak_').replaceAll('1', 'A'), undefined],
    ['ak_', undefined],
    [`ak_${'1'.repeat(64)}\u0000`, undefined],
    [keys.plain, `Bearer ${keys.other}`],
    [`${keys.plain},${keys.other}`, undefined],
    [undefined, `Bearer ${keys.plain}, Bearer ${keys.other}`],
    [keys.plain, 'Bearer ak_nonsense'],
    ['ak_nonsense', `Bearer ${keys.plain}`],
  ];
  for (const [field, authorization] of wrong)
    assert.equal(admit(field, authorization).refusal, 'invalid_api_key', `${field} ${authorization}`);
});

test('revoked, expired and limited keys are refused, and known by name all the same', () => {
  assert.equal(admit(keys.revoked).refusal, 'key_revoked');
  assert.equal(admit(keys.expired).refusal, 'key_expired');
  assert.equal(admit(keys.limited).refusal, null);
  const elsewhere = admit(keys.limited, undefined, { id: closed, auth_required: true });
  assert.equal(elsewhere.refusal, 'invalid_api_key');
  assert.equal(elsewhere.admission.key.id, 'key_limited');
});

test('on a public route no key is looked at', () => {
  for (const key of [undefined, keys.plain, keys.revoked, keys.slow, 'ak_nonsense']) {
    const { refusal, admission } = admit(key, undefined, { id: opened, auth_required: false });
    assert.equal(refusal, null);
    assert.equal(admission.key, anonymous);
    assert.equal(admission.rateLimited, false);
  }
});

test('the rate limit refuses, tells when to come back, and an admission is not the next one', () => {
  const { admission, limiter } = admit(keys.slow);
  const again = (key: string) => admitRequest(admission, table, limiter, { id: opened, auth_required: true }, key, undefined, '', now, 0);
  assert.equal(
    rateLimitFields(admission),
    'X-RateLimit-Limit: 2\r\nX-RateLimit-Remaining: 1\r\nX-RateLimit-Reset: 30\r\nRateLimit-Policy: "default";q=2;w=60\r\nRateLimit: "default";r=1;t=30\r\n',
  );
  assert.equal(again(keys.slow), null);
  assert.equal(again(keys.slow), 'rate_limit_exceeded');
  assert.deepEqual([admission.key.id, admission.rateLimited, admission.remaining, admission.retryAfterSeconds], ['key_slow', true, 0, 30]);
  assert.match(rateLimitFields(admission), /\r\nRetry-After: 30\r\n$/);
  assert.equal(again(keys.plain), null);
  assert.deepEqual([admission.key.id, admission.rateLimited], ['key_plain', false]);
});

test('a limited key without its shared bucket does not pass unlimited', () => {
  assert.equal(admit(keys.lost).refusal, 'internal_error');
});
