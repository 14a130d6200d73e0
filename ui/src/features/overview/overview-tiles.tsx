import type { ReactNode } from 'react';
import type { Traffic } from '../../api/admin-schema.ts';
import { useLive } from '../../api/use-live.ts';
import { rateText, shareText, tookText } from '../../components/figures.ts';
import { latest, ratesOf, shareOf, sum } from './cell-figures.ts';
import classes from './overview.module.css';
import { windowText, type Window } from './overview-search.ts';

/** The few figures that say whether all is well. */
export function OverviewTiles({ traffic, window }: { readonly traffic: Traffic; readonly window: Window }) {
  const { totals } = traffic;
  const { traffic: now } = useLive();
  const inAll = sum(totals.requests);
  const failed = sum(totals.status_5xx);
  const perSecond = now === undefined ? (latest(ratesOf(totals.requests, traffic)) ?? 0) : now.totals.requests / (now.interval_ms / 1_000);
  const p95 = latest(totals.p95_ms);
  const last = `last ${windowText[window]}`;
  return (
    <div className={classes['tiles']}>
      <Tile name="Requests now" value={rateText(perSecond)} note={`${inAll.toLocaleString('en')} in the ${last}`} />
      <Tile
        name="Answered with 5xx"
        value={shareText(shareOf(failed, inAll))}
        note={`${failed.toLocaleString('en')} of ${inAll.toLocaleString('en')}, ${last}`}
      />
      <Tile
        name="Refused with 4xx"
        value={shareText(shareOf(sum(totals.status_4xx), inAll))}
        note={`${sum(totals.status_4xx).toLocaleString('en')} of ${inAll.toLocaleString('en')}, ${last}`}
      />
      <Tile
        name="p95 of the upstreams"
        value={p95 === undefined ? '—' : tookText(p95)}
        note={p95 === undefined ? `no answer in the ${last}` : 'latest; 95 % of answers began within'}
      />
      <Tile
        name="Under way now"
        value={(now?.totals.in_flight ?? totals.in_flight.at(-1) ?? 0).toLocaleString('en')}
        note={`${(now?.totals.connections ?? totals.connections.at(-1) ?? 0).toLocaleString('en')} connections of clients`}
      />
    </div>
  );
}

function Tile({ name, value, note }: { readonly name: string; readonly value: ReactNode; readonly note: ReactNode }) {
  return (
    <section className={`surface ${classes['tile']}`} aria-label={name}>
      <div className={classes['tileName']}>{name}</div>
      <div className={classes['tileValue']}>{value}</div>
      <div className={classes['tileNote']}>{note}</div>
    </section>
  );
}
