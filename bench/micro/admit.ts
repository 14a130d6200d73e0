import { hash } from 'node:crypto';
import { Admission, admitRequest } from '../../src/gateway/admit/admit-request.ts';
import { emptyApiKeyTable } from '../../src/gateway/admit/api-key-table.ts';
import { rateLimitFields } from '../../src/gateway/admit/rate-limit-fields.ts';
import { createRateSlots, RateLimiter } from '../../src/gateway/admit/rate-limiter.ts';
import { micro } from './micro.ts';

const count = 10_000;
const secrets = Array.from({ length: count }, (_, i) => `ak_${hash('sha256', String(i))}`);
const table = emptyApiKeyTable().with(
  secrets.map((secret, i) => ({
    id: `key_${i}`,
    name: `k${i}`,
    prefix: secret.slice(0, 12),
    hash: hash('sha256', secret),
    routes: [],
    rate_limit_per_minute: i % 2 === 0 ? 100_000_000 : null,
    expires_at: null,
    revoked: false,
  })),
);
const limiter = new RateLimiter();
limiter.directory.learn(createRateSlots().assign(secrets.map((_, i) => `key_${i}`)));
const admission = new Admission();
const guarded = { id: 'rt_1', auth_required: true } as const;
const open = { id: 'rt_1', auth_required: false } as const;

function admit(name: string, route: typeof guarded | typeof open, key: (i: number) => string): void {
  micro(name, 200_000, (times) => {
    let refused = 0;
    for (let i = 0; i < times; i++) {
      if (admitRequest(admission, table, limiter, route, key(i), undefined, '', 1.8e12, i / 10) !== null) refused++;
    }
    if (refused > 0) throw new Error(`${refused} refused`);
    return refused;
  });
}

admit('public route', open, () => secrets[0]!);
admit('one key of 10,000, no rate limit', guarded, () => secrets[1]!);
admit('10,000 keys in turn, no rate limit', guarded, (i) => secrets[((i * 2) % count) + 1]!);
admit('one key, with rate limit', guarded, () => secrets[0]!);
micro('sha256 of a key alone', 200_000, (times) => {
  let length = 0;
  for (let i = 0; i < times; i++) length += hash('sha256', secrets[i % count]!).length;
  return length;
});
micro('token bucket alone', 1_000_000, (times) => {
  let taken = 0;
  for (let i = 0; i < times; i++) if (limiter.take(7, 60_000, i / 100)) taken++;
  return taken;
});
micro('rate limit fields', 500_000, (times) => {
  let length = 0;
  admission.key = table.find(hash('sha256', secrets[0]!))!;
  for (let i = 0; i < times; i++) {
    admission.remaining = i & 1023;
    length += rateLimitFields(admission).length;
  }
  return length;
});
