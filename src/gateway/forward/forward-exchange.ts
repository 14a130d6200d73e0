import type { ErrorCode } from '../../errors/catalogue.ts';
import { isText } from '../../http/header-fields.ts';
import type { Exchange } from '../exchange.ts';
import { writeRequestHead } from './write-request-head.ts';

/**
 * Sends a request on: writes its outgoing head, with the upstream's credential, and asks the upstream's pool for a
 * connection. Null when it is under way (or answered already); else the code of the refusal.
 */
export function forwardExchange(exchange: Exchange): ErrorCode | null {
  const { upstream, gateway, client } = exchange;
  if (upstream === null) return null; // answered by the gateway itself
  if (upstream.refusal !== null) {
    exchange.reason = upstream.refusalReason;
    return upstream.refusal;
  }
  const { head } = client;
  if (head.upgrade >= 0 && isText(head.bytes, head.fields.valueStart[head.upgrade]!, head.fields.valueEnd[head.upgrade]!, 'websocket')) {
    return 'upgrade_not_allowed';
  }
  writeRequestHead(gateway.requestOutput, head, upstream, exchange, gateway.identity);
  exchange.startForwarding(upstream);
  return null;
}
