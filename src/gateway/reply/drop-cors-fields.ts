import { isText, type HeaderFields } from '../../http/header-fields.ts';

const prefix = 'access-control-';

/** Marks an upstream's own CORS fields as dropped, on a route whose `cors` decides: browsers refuse a response that has two answers. */
export function dropCorsFields(fields: HeaderFields): void {
  const { bytes, kinds, nameStart, nameEnd, dropped, count } = fields;
  for (let index = 0; index < count; index++) {
    if (kinds[index] !== 0) continue;
    const start = nameStart[index]!;
    if (nameEnd[index]! - start > prefix.length && isText(bytes, start, start + prefix.length, prefix)) dropped[index] = 1;
  }
}
