import type { PlannedChange } from '../model/declared-config.ts';
import { type DeclaredFields, sameJson, withoutDefaults } from './declared-form.ts';

/** Field by field what differs between two states of an object; of a new one what is not the default. */
export function fieldsChanged(before: DeclaredFields | undefined, after: DeclaredFields, defaults: object): PlannedChange['fields'] {
  const fields: PlannedChange['fields'] = {};
  if (before === undefined) {
    for (const [field, to] of Object.entries(withoutDefaults(after, defaults))) {
      if (field !== 'name') fields[field] = { to };
    }
    return fields;
  }
  for (const [field, to] of Object.entries(after)) if (!sameJson(before[field], to)) fields[field] = { from: before[field], to };
  return fields;
}
