import { isText } from '../http/header-fields.ts';
import type { RequestHead } from '../http/request-head.ts';

/** RFC 6455 section 4.1. Other Upgrade tokens are offers that we do not pass on. */
export function asksForWebSocket(head: RequestHead): boolean {
  const { upgrade, fields } = head;
  return upgrade >= 0 && isText(head.bytes, fields.valueStart[upgrade]!, fields.valueEnd[upgrade]!, 'websocket');
}
