import type { RouteConfig } from '../../model/gateway-config.ts';
import type { CandidateOutcome, Explained } from '../../model/explanation.ts';
import { compareRoutes, type CompiledRoute } from '../match/compile-route.ts';
import { methodBit, methodsOfBits } from '../match/method-bits.ts';
import { preferenceInWords } from '../match/preference.ts';
import { conditionHolds, type MatchRequest, takesMethod } from '../match/route-search.ts';
import type { RouteTable } from '../match/route-table.ts';
import { takesHost } from '../match/takes-host.ts';
import { isCredentialName } from '../redact.ts';

/** The routes of a gateway config, ready to be asked. */
export interface SurveyedTables {
  readonly enabled: RouteTable<RouteConfig>;
  /** As if they were enabled. */
  readonly disabled: RouteTable<RouteConfig>;
}

type Candidate = Explained['candidates'][number];

export interface RouteSurvey extends Pick<Explained, 'candidates' | 'others'> {
  /** The first that does not win, where it is near enough to be what was meant. */
  readonly nearest: Candidate | null;
}

type Compiled = CompiledRoute<RouteConfig>;

/** Ten thousand reasons help nobody. */
const mostCandidates = 20;

/**
 * What keeps every route but the winner from taking a request, found with the table's own matchers: those whose host and path match
 * in the order in which they are preferred, then the ones that come nearest. `announced` are the headers that only a preflight
 * tells of. Looks at all routes: for people, not for requests.
 */
export function surveyRoutes(
  tables: SurveyedTables,
  request: MatchRequest,
  winner: RouteConfig | null,
  announced: ReadonlySet<string> | null,
): RouteSurvey {
  const bit = methodBit(request.method);
  const fitting = tables.enabled.fitting(request);
  const winning = fitting.find(({ route }) => route.id === winner?.id);
  const failing = ({ headers }: Compiled): number =>
    headers.findIndex((condition) => announced?.has(condition.name) !== true && !conditionHolds(condition, request.header(condition.name)));
  const candidate = (compiled: Compiled, outcome: CandidateOutcome, detail: string): Candidate => ({
    id: compiled.route.id,
    name: compiled.route.name,
    outcome,
    detail,
  });
  const fittingCandidate = (compiled: Compiled): Candidate => {
    if (compiled === winning) return candidate(compiled, 'wins', 'takes it');
    if (!takesMethod(compiled, request.method, bit)) return candidate(compiled, 'method', `takes only ${methodsOf(compiled)}`);
    const condition = failing(compiled);
    if (condition >= 0) return candidate(compiled, 'header', headerWords(compiled, condition, request));
    const why = winning === undefined ? '' : `: ${preferenceInWords(winning, compiled)}`;
    return candidate(compiled, 'beaten', `would take it, but "${winner?.name ?? ''}" goes first${why}`);
  };

  const disabled = tables.disabled
    .fitting(request)
    .filter((compiled) => takesMethod(compiled, request.method, bit) && failing(compiled) < 0);
  const disabledCandidate = (compiled: Compiled): Candidate => {
    const would = winning === undefined || compareRoutes(compiled, winning) < 0 ? 'would win' : `would still come after "${winner!.name}"`;
    return candidate(compiled, 'disabled', `is disabled; enabled, it ${would}`);
  };
  const isDisabled = new Set(disabled);
  const inOrder = [...fitting, ...disabled].toSorted(compareRoutes);
  // The winner is among those that are shown, however many go before it.
  const shown = inOrder.slice(0, mostCandidates);
  if (winning !== undefined && !shown.includes(winning)) shown[mostCandidates - 1] = winning;
  const toCandidate = (compiled: Compiled): Candidate =>
    isDisabled.has(compiled) ? disabledCandidate(compiled) : fittingCandidate(compiled);
  const candidates = shown.map(toCandidate);

  const counts = new Map<CandidateOutcome, number>();
  const count = (outcome: CandidateOutcome, more = 1): void => void counts.set(outcome, (counts.get(outcome) ?? 0) + more);
  const isShown = new Set(shown);
  for (const compiled of inOrder) if (!isShown.has(compiled)) count(toCandidate(compiled).outcome);
  if (tables.disabled.size > disabled.length) count('disabled', tables.disabled.size - disabled.length);

  const near = nearest(tables.enabled, request, new Set(fitting));
  const room = mostCandidates - candidates.length;
  const isNear = candidates.length > 0 || (near[0]?.closeness ?? 0) > 0;
  for (const { compiled, outcome } of near.slice(0, room)) candidates.push(candidate(compiled, outcome, near.words(compiled, outcome)));
  for (const { outcome } of near.slice(room)) count(outcome);
  const others = [...counts].map(([outcome, many]) => ({ outcome, count: many }));
  return { candidates, others, nearest: isNear ? (candidates.find(({ outcome }) => outcome !== 'wins') ?? null) : null };
}

interface Near {
  readonly compiled: Compiled;
  readonly outcome: 'host' | 'path' | 'host_and_path';
  readonly closeness: number;
}

type NearRoutes = readonly Near[] & { words(compiled: Compiled, outcome: Near['outcome']): string };

/** Routes whose host or path does not match, the nearest first: those for that path, then those for that host by what their paths share. */
function nearest(table: RouteTable<RouteConfig>, request: MatchRequest, fitting: ReadonlySet<Compiled>): NearRoutes {
  const { host, path } = request;
  const forPath = new Set(table.fittingPath(path));
  const otherPaths = alteredPaths(path).map(({ altered, hint }) => ({
    hint,
    routes: new Set(table.fitting({ ...request, path: altered })),
  }));
  const hintOf = (compiled: Compiled): string | undefined => otherPaths.find(({ routes }) => routes.has(compiled))?.hint;
  // Many routes have the same expression for their host.
  const regexHosts = new Map<string, boolean>();
  const hasHost = (compiled: Compiled): boolean => {
    if (compiled.hostKind !== 'regex') return takesHost(compiled, host);
    let takes = regexHosts.get(compiled.host);
    if (takes === undefined) regexHosts.set(compiled.host, (takes = takesHost(compiled, host)));
    return takes;
  };
  const segments = path.split('/');
  const found: Near[] = [];
  for (const compiled of table.compiled()) {
    if (fitting.has(compiled)) continue;
    const takes = hasHost(compiled);
    if (forPath.has(compiled)) found.push({ compiled, outcome: 'host', closeness: Number.POSITIVE_INFINITY });
    else if (!takes) found.push({ compiled, outcome: 'host_and_path', closeness: -1 });
    else found.push({ compiled, outcome: 'path', closeness: hintOf(compiled) === undefined ? sharedSegments(compiled, segments) : 1e6 });
  }
  found.sort((a, b) => b.closeness - a.closeness || compareRoutes(a.compiled, b.compiled));
  const words = (compiled: Compiled, outcome: Near['outcome']): string => {
    if (outcome === 'path') return pathWords(compiled, hintOf(compiled));
    return outcome === 'host' ? hostWords(compiled, host) : `${hostWords(compiled, host)}, and ${pathWords(compiled, undefined)}`;
  };
  return Object.assign(found, { words });
}

/** Paths that are easily taken for this one. */
function alteredPaths(path: string): { altered: string; hint: string }[] {
  const slash =
    path.length > 1 && path.endsWith('/')
      ? { altered: path.slice(0, -1), hint: 'it would be without the slash at its end' }
      : { altered: `${path}/`, hint: 'it would be with a slash at its end' };
  const lower = path.toLowerCase();
  return lower === path ? [slash] : [slash, { altered: lower, hint: 'it would be in lower case' }];
}

function sharedSegments({ route, segments }: Compiled, asked: readonly string[]): number {
  if (route.match_type === 'regex') return 0;
  const pattern = segments === null ? route.path_pattern.split('/').slice(1) : segments;
  const differs = pattern.findIndex((segment, at) => segment !== null && segment !== asked[at + 1]);
  return differs < 0 ? pattern.length : differs;
}

function methodsOf({ methodBits, otherMethods }: Compiled): string {
  return [...methodsOfBits(methodBits), ...otherMethods].join(', ');
}

function headerWords({ headers, route }: Compiled, at: number, request: MatchRequest): string {
  const { name: lowerCaseName, value: wanted, regex, required } = headers[at]!;
  // As it is written in the route.
  const { name } = route.headers[at]!;
  const given = request.header(lowerCaseName);
  const wants = regex === null ? `wants ${quoted(wanted)}` : `wants a match of ${quoted(wanted)}`;
  if (given === undefined) return `header ${name} is missing, ${wants}`;
  const has = isCredentialName(name) ? 'has another value' : `is ${quoted(given)}`;
  return `header ${name} ${has}, ${wants}${required ? '' : ' or no such header'}`;
}

function hostWords({ hostKind, route }: Compiled, host: string): string {
  const is = host === '' ? 'the host is missing' : `the host is ${short(host)}`;
  if (hostKind === 'wildcard') return `${is}, not one label in place of the * of ${short(route.host_pattern)}`;
  return hostKind === 'regex' ? `${is}, which does not match ${short(route.host_pattern)}` : `${is}, not ${short(route.host_pattern)}`;
}

function pathWords({ route }: Compiled, hint: string | undefined): string {
  const pattern = short(route.path_pattern);
  const but = hint === undefined ? '' : `; ${hint}`;
  switch (route.match_type) {
    case 'exact':
      return `the path is not exactly ${pattern}${but}`;
    case 'prefix':
      return `the path is neither ${pattern} nor below it${but}`;
    case 'regex':
      return `the path does not match ${pattern}${but}`;
  }
}

function quoted(text: string): string {
  return `"${short(text)}"`;
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
