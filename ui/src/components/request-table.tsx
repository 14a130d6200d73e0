import { IconAlertTriangleFilled, IconBan, IconCheck, IconPlugConnectedX } from '@tabler/icons-react';
import { useNavigate, useRouter } from '@tanstack/react-router';
import { memo, type MouseEvent } from 'react';
import type { Item } from '../api/admin-schema.ts';
import { clockText, tookText } from './figures.ts';
import classes from './request-table.module.css';
import { sentenceOf } from './sentence-of.ts';

type FinishedRequest = Item<'/admin/requests'>;

export interface RequestTableProps {
  /** What the table lists, for screen readers. */
  readonly label: string;
  /** undefined while they are on their way. */
  readonly rows: readonly FinishedRequest[] | undefined;
}

/**
 * Requests that have ended; each leads to its own page. Plain elements and one listener for all rows: the list is drawn anew
 * several times a second.
 */
export function RequestTable({ label, rows }: RequestTableProps) {
  const navigate = useNavigate();
  const { basepath } = useRouter();
  const open = (event: MouseEvent<HTMLTableSectionElement>): void => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('tr[data-request]');
    // With a key held, the link does what links do; selecting text is no click.
    if (row === null || event.metaKey || event.ctrlKey || event.shiftKey || getSelection()?.isCollapsed === false) return;
    event.preventDefault();
    void navigate({ to: `/live/${encodeURIComponent(row.dataset['request'] ?? '')}` });
  };
  return (
    <div className="surface">
      {/* The roles are spelt out because the cards of a phone are no table to a browser any more. */}
      <table className={classes['table']} aria-label={label} aria-busy={rows === undefined} role="table">
        <thead role="rowgroup">
          <tr role="row">
            {headers.map(([header, name]) => (
              <th key={header} scope="col" role="columnheader" className={classNames(name)}>
                {header}
              </th>
            ))}
          </tr>
        </thead>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events -- each row has a link for the keyboard */}
        <tbody role="rowgroup" onClick={open}>
          {rows === undefined
            ? [1, 2, 3, 4].map((row) => (
                <tr key={row} role="row">
                  {headers.map(([header, name]) => (
                    <td key={header} role="cell" className={classNames(name)}>
                      <div className={classes['skeleton']} />
                    </td>
                  ))}
                </tr>
              ))
            : rows.map((request) => <Row key={`${request.id} ${request.time}`} request={request} basepath={basepath} />)}
        </tbody>
      </table>
    </div>
  );
}

const headers = [
  ['Time', 'time'],
  ['Status', 'status'],
  ['Method', 'method'],
  ['Path', 'pathCell'],
  ['Route', 'name'],
  ['Upstream', 'name'],
  ['Took', 'latency number'],
  ['Cause', 'cause'],
] as const;

const Row = memo(({ request, basepath }: { readonly request: FinishedRequest; readonly basepath: string }) => {
  const { id, time, method, host, path, route, upstream, duration_ms: duration, reason, code } = request;
  const cause = causeOf(request);
  return (
    <tr role="row" data-request={id}>
      <td role="cell" className={classNames('time timeText dim')}>
        <time dateTime={time} title={new Date(time).toLocaleString()}>
          {clockText(time)}
        </time>
      </td>
      <td role="cell" className={classes['status']}>
        <RequestStatus request={request} />
      </td>
      <td role="cell" className={classes['method']}>
        {method}
      </td>
      <td role="cell" className={classes['pathCell']}>
        <a className={classes['path']} href={`${basepath}/live/${encodeURIComponent(id)}`} title={`${host}${path}`}>
          {path}
        </a>
      </td>
      <td role="cell" className={classes['name']} title={route ?? undefined}>
        {route}
      </td>
      <td role="cell" className={classes['name']} title={upstream ?? undefined}>
        {upstream}
      </td>
      <td role="cell" className={classNames('latency number')}>
        {tookText(duration)}
      </td>
      <td role="cell" className={classNames('cause dim')} title={reason === null ? cause : `${reason}${code === null ? '' : ` (${code})`}`}>
        {cause}
      </td>
    </tr>
  );
});
Row.displayName = 'RequestRow';

/** The status with its shape: a figure alone, or a colour alone, tells too little at a glance. */
export function RequestStatus({ request }: { readonly request: Pick<FinishedRequest, 'status' | 'failed'> }) {
  const { status, failed } = request;
  const [Icon, tone, word] =
    failed && status === null
      ? ([IconPlugConnectedX, 'failed', 'failed without a response'] as const)
      : failed
        ? ([IconAlertTriangleFilled, 'failed', 'failed'] as const)
        : status === null
          ? ([IconPlugConnectedX, 'plain', 'the client left'] as const)
          : status >= 400
            ? ([IconBan, 'refused', 'refused'] as const)
            : ([IconCheck, 'ok', 'well'] as const);
  return (
    <span className={classNames(`mark ${tone}`)} title={word}>
      <Icon size={14} aria-label={word} role="img" />
      {status ?? 'none'}
    </span>
  );
}

/** Why it is not a plain success, in few words. */
export function causeOf({ reason, code, status, failed, outcome }: FinishedRequest): string {
  const words = reason ?? code?.replaceAll('_', ' ').replace('api key', 'API key') ?? '';
  if (words !== '') return sentenceOf(words);
  if (outcome === 'client_abort') return 'The client left before the end.';
  if (failed && status !== null) return `The upstream answered ${status}.`;
  return '';
}

function classNames(names: string): string {
  return names
    .split(' ')
    .map((name) => classes[name])
    .join(' ');
}
