import type { ErrorCode } from '../errors/catalogue.ts';
import { admitExchange } from './admit/admit-exchange.ts';
import type { Exchange } from './exchange.ts';
import { forwardExchange } from './forward/forward-exchange.ts';
import { matchExchange } from './match/match-exchange.ts';
import { transformExchange } from './transform/transform-exchange.ts';

/**
 * The way of one request: listen → **match → admit → transform → forward** → transform back → reply → record.
 * Each stage returns null, or the code of the error that ends the exchange here. What comes back from the
 * upstream continues in `Exchange`, which hears of it.
 */
export function handleRequest(exchange: Exchange): void {
  const refusal: ErrorCode | null =
    matchExchange(exchange) ?? admitExchange(exchange) ?? transformExchange(exchange) ?? forwardExchange(exchange);
  if (refusal !== null) exchange.refuse(refusal);
}
