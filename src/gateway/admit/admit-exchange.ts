import type { ErrorCode } from '../../errors/catalogue.ts';
import { kind } from '../../http/known-fields.ts';
import { monotonicMs } from '../../telemetry/monotonic-clock.ts';
import type { Exchange } from '../exchange.ts';
import { keyInQuery } from '../query-api-key.ts';
import { Admission, admitRequest } from './admit-request.ts';
import { rateLimitFields } from './rate-limit-fields.ts';

const admission = new Admission();

/** Lets a request through to its route, by its API key and within its rate limit. Null, or the code of the refusal. */
export function admitExchange(exchange: Exchange): ErrorCode | null {
  const { route, snapshot, gateway } = exchange;
  // Without an upstream it was answered by the gateway itself.
  if (route === null || exchange.upstream === null || snapshot === null || !route.auth_required) return null;
  const { head } = exchange.client;
  const { fields } = head;
  const refusal = admitRequest(
    admission,
    snapshot.keys,
    gateway.limiter,
    route,
    fields.valueOfKind(kind.xApiKey),
    fields.valueOfKind(kind.authorization),
    route.api_key_query && head.pathEnd < head.targetEnd ? keyInQuery(head) : '',
    exchange.startedAtMs,
    monotonicMs(),
  );
  const { id } = admission.key;
  if (id !== 'anonymous') {
    exchange.keyId = id;
    if (refusal === null) gateway.keysUsed.set(id, exchange.startedAtMs);
  }
  if (admission.rateLimited) exchange.responseFields += rateLimitFields(admission);
  return refusal;
}
