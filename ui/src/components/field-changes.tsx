import { Fragment } from 'react';
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
    // The roles are spelt out because on a phone, where the values stand below one another, it is no table to a browser any more.
    <table role="table" className={classes['changes']} aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">
            Field
          </th>
          {!isNew && (
            <th role="columnheader" scope="col">
              {before}
            </th>
          )}
          <th role="columnheader" scope="col">
            {after}
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {changes.map(({ field, from, to }) => (
          <tr role="row" key={field}>
            <th role="rowheader" scope="row">
              <FieldName name={field} />
            </th>
            {!isNew && (
              <td role="cell" className={classes['from']} data-label={before}>
                <pre>{valueText(from)}</pre>
              </td>
            )}
            <td role="cell" className={classes['to']} data-label={after}>
              <pre>{valueText(to)}</pre>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Broken, where there is no room for it, behind an underscore and not inside a word. */
function FieldName({ name }: { readonly name: string }) {
  const parts = name.split('_');
  return parts.map((part, index) => (
    // oxlint-disable-next-line react/no-array-index-key -- parts have nothing else that tells them apart
    <Fragment key={index}>
      {part}
      {index < parts.length - 1 && (
        <>
          _<wbr />
        </>
      )}
    </Fragment>
  ));
}

/** What certificates begin with tells them apart. */
const longestCertificate = 160;

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (value === '') return '(empty)';
  if (typeof value !== 'string') return JSON.stringify(value, null, 2);
  if (!value.startsWith('-----BEGIN ') || value.length <= longestCertificate) return value;
  return `${value.slice(0, longestCertificate)}… (${value.length} characters)`;
}
