import type { TrafficEffect, TrafficEffectName } from '../../model/traffic-effect.ts';
import { visibleText } from '../../settings/visible-text.ts';

type Group = TrafficEffect['groups'][number];

/** What recent requests would do differently, for people. */
export function trafficText(traffic: TrafficEffect): string {
  const { requests, since, changed, not_judged: notJudged, groups, left_out: leftOut } = traffic;
  if (requests === 0) return 'No request has ended since the gateway started, so there is none to compare with.\n';
  const of = `the last ${counted(requests)}${since === null ? '' : ` (since ${since.slice(0, 19).replace('T', ' ')} UTC)`}`;
  const lines = [changed === 0 ? `Of ${of}, none is known to do anything else.` : `Of ${of}, ${number(changed)} would do something else:`];
  for (const group of groups) {
    lines.push(`  ${number(group.requests)} ${words[group.effect](group, group.requests === 1 ? 's' : '')}`);
    for (const { method, host, path } of group.examples) lines.push(`    ${visibleText(`${method} ${host}${path}`)}`);
  }
  if (leftOut > 0) lines.push(`  ${number(leftOut)} more in other ways; see -o json`);
  if (notJudged > 0)
    lines.push(
      `${number(notJudged)} could not be judged: a route that could take ${notJudged === 1 ? 'it' : 'them'} looks at headers or answers preflights, and headers are not recorded.`,
    );
  return lines.map((line) => `${line}\n`).join('');
}

const words: Readonly<Record<TrafficEffectName, (group: Group, s: string) => string>> = {
  not_found: ({ from_route }, s) => `become${s} 404${left(from_route)}`,
  method_not_allowed: ({ from_route }, s) => `become${s} 405${left(from_route)}`,
  disabled: ({ to_upstream }, s) => `become${s} 503: upstream ${name(to_upstream)} is disabled`,
  upgrade_refused: ({ to_route }, s) => `become${s} 400: route ${name(to_route)} takes no WebSockets`,
  key_needed: ({ to_route }, s) => `newly need${s} an API key, on route ${name(to_route)}`,
  key_refused: ({ to_route }, s) => `become${s} 401: the API key that was used does not open route ${name(to_route)}`,
  public: ({ to_route }, s) => `need${s} no API key any more, on route ${name(to_route)}`,
  moved: ({ from_route, from_upstream, to_route, to_upstream }, s) =>
    from_route === to_route
      ? `move${s} from upstream ${name(from_upstream)} to ${name(to_upstream)}, on route ${name(to_route)}`
      : `move${s} from route ${name(from_route)} (upstream ${name(from_upstream)}) to ${name(to_route)} (upstream ${name(to_upstream)})`,
  altered: ({ to_route }, s) => `change${s} on the way, on route ${name(to_route)}: by its transformations, or by its upstream's fields`,
  served: ({ to_route, to_upstream }, s) =>
    `${s === '' ? 'are' : 'is'} newly served, by route ${name(to_route)} (upstream ${name(to_upstream)})`,
};

function left(route: string | null): string {
  return route === null ? '' : `, which route ${name(route)} takes now`;
}

function name(text: string | null): string {
  return text === null ? '(none)' : visibleText(text);
}

function counted(requests: number): string {
  return requests === 1 ? 'request' : `${number(requests)} requests`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
