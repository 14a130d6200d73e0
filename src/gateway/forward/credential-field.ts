import type { HeaderFields } from '../../http/header-fields.ts';
import { underscored } from '../../http/known-fields.ts';
import type { CompiledUpstream } from '../snapshot/compile-upstream.ts';

/** Whether a client's field has the name that the upstream's credential goes under, in any case and with `_` for `-` too. */
export function isCredentialField(fields: HeaderFields, index: number, upstream: CompiledUpstream): boolean {
  const known = fields.kinds[index]! & (underscored - 1);
  if (upstream.credentialKind !== 0) return known === upstream.credentialKind;
  if (known !== 0) return false;
  const name = upstream.credentialName;
  const { bytes } = fields;
  const start = fields.nameStart[index]!;
  if (fields.nameEnd[index]! - start !== name.length) return false;
  for (let offset = 0; offset < name.length; offset++) {
    let byte = bytes[start + offset]!;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    if (byte === 0x5f) byte = 0x2d;
    let wanted = name.charCodeAt(offset);
    if (wanted === 0x5f) wanted = 0x2d;
    if (byte !== wanted) return false;
  }
  return true;
}

/** Marks as dropped the trailers that carry the name of the upstream's credential. */
export function dropCredentialTrailers(trailers: HeaderFields, upstream: CompiledUpstream): void {
  if (upstream.credentialName === '') return;
  for (let index = 0; index < trailers.count; index++) if (isCredentialField(trailers, index, upstream)) trailers.dropped[index] = 1;
}
