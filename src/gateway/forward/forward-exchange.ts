import type { ErrorCode } from '../../errors/catalogue.ts';
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
  let upgradeKey = '';
  if (head.asksForWebSocket) {
    if (head.hasBody) {
      exchange.reason = 'an upgrade request has a body';
      return 'request_malformed';
    }
    if (exchange.route?.protocol !== 'websocket') return 'upgrade_not_allowed';
    upgradeKey = head.method === 'GET' ? (head.fields.valueOf('sec-websocket-key') ?? '') : '';
  }
  const { transformed } = exchange;
  writeRequestHead(gateway.requestOutput, head, upstream, exchange, gateway.identity, upgradeKey !== '', transformed);
  if (transformed !== null && transformed.body !== null) return exchange.holdRequestBody(transformed.body);
  exchange.startForwarding(upgradeKey, head.chunked);
  return null;
}
