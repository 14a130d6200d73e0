import { createHash } from 'node:crypto';
import type { ResponseHead } from '../../http/response-head.ts';

/** Why a 101 is not the answer to our request for a WebSocket (RFC 6455 section 4.1), or ''. */
export function handshakeFault(head: ResponseHead, key: string): string {
  const { fields } = head;
  if (!head.connection.upgrade || fields.valueOf('upgrade')?.toLowerCase() !== 'websocket')
    return 'the upstream switched to another protocol than WebSocket';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return fields.valueOf('sec-websocket-accept') === accept ? '' : 'the Sec-WebSocket-Accept of the upstream is wrong';
}
