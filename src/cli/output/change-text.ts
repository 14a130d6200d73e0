import type { PlannedChange } from '../../model/declared-config.ts';
import { visibleText } from '../../settings/visible-text.ts';

const done = { create: 'created', update: 'updated', delete: 'deleted' } as const;

/** A change of an object, one line for each field, as it would be made or was. */
export function changeText({ action, type, name, fields }: PlannedChange, dryRun: boolean): string {
  const lines = [`${dryRun ? action : done[action]} ${type} ${visibleText(name)}`];
  for (const [field, { from, to }] of Object.entries(fields)) {
    lines.push(`  ${visibleText(field)}: ${action === 'create' ? '' : `${valueText(from)} → `}${valueText(to)}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

const longest = 200;

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  const text = typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
  return visibleText(text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text);
}

/** `1 created, 2 deleted`, or `1 to create, 2 to delete`. */
export function countsText(changes: readonly Pick<PlannedChange, 'action'>[], dryRun: boolean): string {
  return (['create', 'update', 'delete'] as const)
    .map((action) => [changes.filter((change) => change.action === action).length, action] as const)
    .filter(([count]) => count > 0)
    .map(([count, action]) => `${count} ${dryRun ? `to ${action}` : done[action]}`)
    .join(', ');
}
