import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import type { Output } from '../api/admin-schema.ts';
import classes from './config-changes.module.css';
import { FieldChanges } from './field-changes.tsx';

export type ConfigChange = Output<'get', '/admin/history/diff'>['changes'][number];

export interface ConfigChangesProps {
  readonly changes: readonly ConfigChange[];
  /** Whether they are still to be done: "will be created" rather than "created". */
  readonly isPlanned?: boolean;
}

/** Changes of upstreams, routes and API keys, field by field: before beside after. Of secrets the API tells only that they differ. */
export function ConfigChanges({ changes, isPlanned = false }: ConfigChangesProps) {
  return (
    <div className="surface">
      {changes.map(({ action, type, name, fields }) => {
        const Icon = icons[action];
        const entries = Object.entries(fields);
        return (
          <section key={`${type} ${action} ${name}`} className={classes['change']} aria-label={`${kinds[type]} ${name}`}>
            <div className={classes['head']}>
              <Icon size={18} className={`${classes['icon']} ${classes[action]}`} aria-hidden />
              <span className={classes['name']}>
                {kinds[type]} {name}
              </span>
              <span className={classes[action]}>{(isPlanned ? plans : words)[action]}</span>
            </div>
            {entries.length === 0 && action === 'update' && <div className={classes['note']}>What was before is not known any more.</div>}
            {entries.length > 0 && (
              <div className={classes['fields']}>
                <FieldChanges
                  label={`Fields of ${kinds[type]} ${name}`}
                  isNew={action === 'create'}
                  changes={entries.map(([field, { from, to }]) => ({ field, from, to }))}
                />
              </div>
            )}
          </section>
        );
      })}
    </div>
  );
}

const icons = { create: IconPlus, update: IconPencil, delete: IconTrash } as const;
const words = { create: 'created', update: 'changed', delete: 'deleted' } as const;
const plans = { create: 'will be created', update: 'will be changed', delete: 'will be deleted' } as const;
const kinds = { upstream: 'Upstream', route: 'Route', key: 'API key' } as const;

/** "Upstream orders changed, route shop created and 3 more": a revision in one line. */
export function changesText(changes: readonly Omit<ConfigChange, 'fields'>[], total: number): string {
  if (total === 0) return 'Nothing';
  const shown = changes.slice(0, total > 3 ? 2 : 3).map(({ action, type, name }) => `${kinds[type]} ${name} ${words[action]}`);
  const rest = total - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest.toLocaleString('en')} more` : shown.join(', ');
}
