import type { HeaderFields } from '../../http/header-fields.ts';
import { kind } from '../../http/known-fields.ts';

/** Whether a response is a stream of server-sent events, which may be silent for as long as it likes. */
export function isEventStream(fields: HeaderFields): boolean {
  const index = fields.find(kind.contentType);
  if (index < 0) return false;
  const start = fields.valueStart[index]!;
  const byte = fields.bytes[start]! | 0x20;
  if (byte !== 0x74) return false; // not 't'
  return /^text\/event-stream\s*(?:;|$)/i.test(fields.value(index));
}
