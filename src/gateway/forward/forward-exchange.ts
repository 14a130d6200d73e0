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
  const upgradeKey = upgradeKeyOf(head);
  if (upgradeKey !== '') {
    if (exchange.route?.managed !== true) return 'upgrade_not_allowed';
    if (head.hasBody) {
      exchange.reason = 'an upgrade request has a body';
      return 'request_malformed';
    }
  }
  writeRequestHead(gateway.requestOutput, head, upstream, exchange, gateway.identity, upgradeKey !== '');
  exchange.startForwarding(upgradeKey);
  return null;
}

// A request for a WebSocket (RFC 6455 section 4.1). Other Upgrade tokens are offers that we do not pass on.
function upgradeKeyOf(head: RequestHead): string {
  const { upgrade, fields } = head;
  if (upgrade < 0 || head.method !== 'GET') return '';
  if (!isText(head.bytes, fields.valueStart[upgrade]!, fields.valueEnd[upgrade]!, 'websocket')) return '';
  return fields.valueOf('sec-websocket-key') ?? '';
}
