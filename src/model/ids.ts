/** Ids are a prefix that tells the kind, and 16 hexadecimal digits. Names may not look like ids. */
export type UpstreamId = `up_${string}`;
export type RouteId = `rt_${string}`;
export type ApiKeyId = `key_${string}`;
export type AdminId = `adm_${string}`;
export type ApiTokenId = `tok_${string}`;

export const idPattern = /^(up|rt|key|adm|tok)_[0-9a-f]{16}$/;

/** Whether a reference given by a caller is an id rather than a name. */
export function looksLikeId(reference: string): boolean {
  return idPattern.test(reference);
}
