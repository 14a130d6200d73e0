import { Checkbox, Skeleton, VisuallyHidden } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, useCallback, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { upstreamColumns, type RowActions } from './upstream-cells.tsx';
import type { UpstreamRow } from './upstream-row.ts';
import classes from './upstream-table.module.css';

export interface UpstreamTableProps extends RowActions {
  /** undefined while they are on their way. */
  readonly rows: readonly UpstreamRow[] | undefined;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
  readonly menu: (row: UpstreamRow) => ReactNode;
}

const rowHeight = 76;

/** A table of upstreams, and cards in a narrow window. Only the rows near the window are there, so that thousands cost no more than twenty. */
export function UpstreamTable({ rows, selected, onSelect, menu, onSwitch, switching }: UpstreamTableProps) {
  const body = useRef<HTMLDivElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => {
    // What stands above the rows may grow: a warning, a strip that wraps.
    const measure = (): void => {
      const top = (body.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
      setScrollMargin((before) => (Math.abs(before - top) < 1 ? before : top));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  // oxlint-disable-next-line react/incompatible-library -- what it returns is used here alone
  const virtual = useWindowVirtualizer({
    count: rows?.length ?? 0,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollMargin,
    getItemKey: (index) => rows?.[index]?.upstream.id ?? index,
  });
  const all = rows !== undefined && rows.length > 0 && rows.every(({ upstream }) => selected.has(upstream.id));
  const some = rows !== undefined && rows.some(({ upstream }) => selected.has(upstream.id));
  const toggle = useCallback(
    (id: string): void => {
      const next = new Set(selected);
      if (!next.delete(id)) next.add(id);
      onSelect(next);
    },
    [selected, onSelect],
  );
  return (
    <div
      className={`surface ${classes['table']}`}
      role="table"
      aria-label="Upstreams"
      aria-busy={rows === undefined}
      aria-rowcount={(rows?.length ?? 0) + 1}
    >
      <div role="rowgroup">
        <div className={`${classes['row']} ${classes['head']}`} role="row" aria-rowindex={1}>
          <div role="columnheader" className={classes['check']}>
            <Checkbox
              aria-label="Select all that are shown"
              checked={all}
              indeterminate={some && !all}
              disabled={rows === undefined}
              onChange={() => onSelect(all ? new Set() : new Set(rows?.map(({ upstream }) => upstream.id)))}
            />
          </div>
          {upstreamColumns.map(({ header, area }) => (
            <div key={header} role="columnheader" className={classes['header']} data-area={area}>
              {header}
            </div>
          ))}
          <div role="columnheader">
            <VisuallyHidden>Actions</VisuallyHidden>
          </div>
        </div>
      </div>
      <div
        ref={body}
        role="rowgroup"
        className={classes['body']}
        style={rows === undefined ? undefined : { height: virtual.getTotalSize() }}
      >
        {rows === undefined
          ? [1, 2, 3, 4].map((row) => (
              <div key={row} role="row" className={classes['row']}>
                <div role="cell">
                  <Skeleton height={36} />
                </div>
              </div>
            ))
          : virtual.getVirtualItems().map(({ index, key, start }) => {
              const row = rows[index];
              if (row === undefined) return null;
              return (
                <div
                  key={key}
                  ref={virtual.measureElement}
                  data-index={index}
                  role="row"
                  aria-rowindex={index + 2}
                  className={`${classes['row']} ${classes['placed']}`}
                  style={{ transform: `translateY(${start - scrollMargin}px)` }}
                >
                  <UpstreamCells
                    row={row}
                    isSelected={selected.has(row.upstream.id)}
                    onToggle={toggle}
                    onSwitch={onSwitch}
                    switching={switching}
                    menu={menu}
                  />
                </div>
              );
            })}
      </div>
    </div>
  );
}

interface UpstreamCellsProps extends RowActions, Pick<UpstreamTableProps, 'menu'> {
  readonly row: UpstreamRow;
  readonly isSelected: boolean;
  readonly onToggle: (id: string) => void;
}

/** What stands in a row. Rows that stay as they are are not drawn again, neither while one scrolls nor when figures come. */
const UpstreamCells = memo(function UpstreamCells({ row, isSelected, onToggle, onSwitch, switching, menu }: UpstreamCellsProps) {
  const actions = { onSwitch, switching };
  return (
    <>
      <div role="cell" className={classes['check']}>
        <Checkbox aria-label={`Select ${row.upstream.name}`} checked={isSelected} onChange={() => onToggle(row.upstream.id)} />
      </div>
      {upstreamColumns.map(({ header, area, cell }) => (
        <div key={header} role="cell" className={classes['cell']} data-area={area} data-label={header}>
          {cell(row, actions)}
        </div>
      ))}
      <div role="cell" className={classes['menu']}>
        {menu(row)}
      </div>
    </>
  );
}, isSame);

function isSame({ row, ...before }: UpstreamCellsProps, { row: next, ...after }: UpstreamCellsProps): boolean {
  return haveSameValues(before, after) && (row === next || haveSameValues(row, next));
}

// Lists of figures are made anew each time.
function haveSameValues<T extends object>(one: T, other: T): boolean {
  return (Object.keys(one) as (keyof T)[]).every((name) => {
    const [a, b] = [one[name], other[name]];
    return (
      Object.is(a, b) || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, at) => Object.is(value, b[at])))
    );
  });
}
