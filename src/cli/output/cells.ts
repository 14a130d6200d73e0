import type { Item } from './printer.ts';
import type { StyleName } from './style.ts';

/** The field's text; empty for null. */
export function textOf(field: string): (item: Item) => string {
  return (item) => {
    const value = item[field];
    if (typeof value === 'string') return value;
    if (value === null || value === undefined) return '';
    return Array.isArray(value) ? value.join(',') : JSON.stringify(value);
  };
}

/** `2026-11-23 05:06:07Z`: ISO 8601 without what nobody reads. */
export function timeOf(field: string): (item: Item) => string {
  return (item) => textOf(field)(item).replace('T', ' ').replace(/\.\d+/, '');
}

export function yesOrNo(field: string): (item: Item) => string {
  return (item) => (item[field] === true ? 'yes' : 'no');
}

export function greenWhenTrue(field: string): (item: Item) => StyleName {
  return (item) => (item[field] === true ? 'green' : 'yellow');
}

/** Of keys and tokens. */
export function stateOf(item: Item): 'active' | 'expired' | 'revoked' {
  if (typeof item['revoked_at'] === 'string') return 'revoked';
  return typeof item['expires_at'] === 'string' && Date.parse(item['expires_at']) <= Date.now() ? 'expired' : 'active';
}
