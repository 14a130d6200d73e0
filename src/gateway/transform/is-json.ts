import type { HeaderFields } from '../../http/header-fields.ts';
import { kind, underscored } from '../../http/known-fields.ts';

/**
 * Whether a message says that its body is JSON: `application/json` or `+json` (RFC 6839 section 3.1). Of several fields any,
 * and those spelled with `_` too, which CGI-like backends take for it.
 */
export function isJson(fields: HeaderFields): boolean {
  for (let index = 0; index < fields.count; index++) {
    if ((fields.kinds[index]! & (underscored - 1)) === kind.contentType && jsonType.test(fields.value(index))) return true;
  }
  return false;
}

const jsonType = /(?:^|,)\s*(?:application\/json|[!#$%&'*+\-.^_`|~0-9a-z]+\/[!#$%&'*+\-.^_`|~0-9a-z]+\+json)\s*(?:[;,]|$)/i;
