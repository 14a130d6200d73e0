import type { HeaderFields } from '../../http/header-fields.ts';
import { kind } from '../../http/known-fields.ts';

/** Whether a message says that its body is JSON: `application/json` or `+json` (RFC 6839 section 3.1). Of several fields, any. */
export function isJson(fields: HeaderFields): boolean {
  for (let index = fields.find(kind.contentType); index >= 0; index = fields.find(kind.contentType, index + 1)) {
    if (jsonType.test(fields.value(index))) return true;
  }
  return false;
}

const jsonType = /(?:^|,)\s*(?:application\/json|[!#$%&'*+\-.^_`|~0-9a-z]+\/[!#$%&'*+\-.^_`|~0-9a-z]+\+json)\s*(?:[;,]|$)/i;
