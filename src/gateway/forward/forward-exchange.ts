import type { ErrorCode } from '../../errors/catalogue.ts';
import { isText } from '../../http/header-fields.ts';
import type { RequestHead } from '../../http/request-head.ts';
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
  if (asksForWebSocket(head)) {
    if (head.hasBody) {
      exchange.reason = 'an upgrade request has a body';
      return 'request_malformed';
    }
    if (exchange.route?.protocol !== 'websocket') return 'upgrade_not_allowed';
    upgradeKey = head.method === 'GET' ? (head.fields.valueOf('sec-websocket-key') ?? '') : '';
  }
  writeRequestHead(gateway.requestOutput, head, upstream, exchange, gateway.identity, upgradeKey !== '');
  exchange.startForwarding(upgradeKey);
  return null;
}

// RFC 6455 section 4.1. Other Upgrade tokens are offers that we do not pass on.
function asksForWebSocket(head: RequestHead): boolean {
  const { upgrade, fields } = head;
  return upgrade >= 0 && isText(head.bytes, fields.valueStart[upgrade]!, fields.valueEnd[upgrade]!, 'websocket');
}
