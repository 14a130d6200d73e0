import classes from './field-changes.module.css';

export interface FieldChange {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface FieldChangesProps {
  readonly label: string;
  readonly changes: readonly FieldChange[];
  /** Heads of the two columns. */
  readonly before?: string;
  readonly after?: string;
  /** There was nothing before. */
  readonly isNew?: boolean;
}

/** Fields, each as it was and as it is or would be. */
export function FieldChanges({ label, changes, before = 'Before', after = 'After', isNew = false }: FieldChangesProps) {
  return (
    <table className={classes['changes']} aria-label={label}>
      <thead>
        <tr>
          <th scope="col">Field</th>
          {!isNew && <th scope="col">{before}</th>}
          <th scope="col">{after}</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ field, from, to }) => (
          <tr key={field}>
            <th scope="row">{field}</th>
            {!isNew && <td>{shown(from)}</td>}
            <td className={classes['after']}>{shown(to)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Long texts, certificates say, are cut: what they begin with tells them apart. */
const longest = 160;

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'default';
  if (value === '') return 'empty';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
}
