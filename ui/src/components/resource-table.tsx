import { Skeleton, VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './resource-table.module.css';

export interface Column<Row> {
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** Its few words stay on one line. */
  readonly isWhole?: boolean;
  /** Sentences: on a phone they stand below the name of the column, from the left. */
  readonly isProse?: boolean;
}

export interface ResourceTableProps<Row> {
  /** What the table lists, for screen readers. */
  readonly label: string;
  /** The first one names the row: it is the head of the card on a phone. */
  readonly columns: readonly Column<Row>[];
  /** undefined while they are on their way. */
  readonly rows: readonly Row[] | undefined;
  readonly rowKey: (row: Row) => string;
  /** A menu or buttons at the end of the row. */
  readonly actions?: (row: Row) => ReactNode;
}

/** A list of resources: a table, and cards on a phone. */
export function ResourceTable<Row>({ label, columns, rows, rowKey, actions }: ResourceTableProps<Row>) {
  return (
    <div className={`surface ${classes['scroll']}`}>
      {/* The roles are spelt out because the cards are no table to a browser any more. */}
      <table className={classes['table']} aria-label={label} aria-busy={rows === undefined} role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ header }) => (
              <th key={header} scope="col" role="columnheader">
                {header}
              </th>
            ))}
            {actions !== undefined && (
              <th scope="col" role="columnheader">
                <VisuallyHidden>Actions</VisuallyHidden>
              </th>
            )}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows === undefined
            ? [1, 2, 3].map((row) => (
                <tr key={row} role="row">
                  {columns.map(({ header }) => (
                    <td key={header} role="cell" data-label={header}>
                      <Skeleton height={14} width="70%" />
                    </td>
                  ))}
                  {actions !== undefined && <td role="cell" />}
                </tr>
              ))
            : rows.map((row) => (
                <tr key={rowKey(row)} role="row">
                  {columns.map(({ header, cell, isWhole = false, isProse = false }) => (
                    <td
                      key={header}
                      role="cell"
                      data-label={header}
                      className={isWhole ? classes['whole'] : isProse ? classes['prose'] : undefined}
                    >
                      {cell(row)}
                    </td>
                  ))}
                  {actions !== undefined && (
                    <td className={classes['actions']} role="cell">
                      {actions(row)}
                    </td>
                  )}
                </tr>
              ))}
        </tbody>
      </table>
    </div>
  );
}
