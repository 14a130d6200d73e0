import type { ErrorCode } from '../../errors/catalogue.ts';
import type { Exchange } from '../exchange.ts';
import { TransformFailure } from './transform-failure.ts';
import { transformRequest } from './transform-request.ts';

/** Works out what becomes of a request on a route that transforms. Null, or the code of the refusal. */
export function transformExchange(exchange: Exchange): ErrorCode | null {
  const transform = exchange.route?.transform ?? null;
  if (transform === null) return null;
  const { head } = exchange.client;
  try {
    const transformed = transformRequest(exchange, head, transform, exchange.upstream?.credentialName ?? '', transform.trace);
    transformed.facts.leaveHead(transform.keeps);
    exchange.transformed = transformed;
    return null;
  } catch (error) {
    if (!(error instanceof TransformFailure)) throw error;
    return exchange.transformFailed(error);
  }
}
