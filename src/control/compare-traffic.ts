import type { RecordedTakers } from '../model/explanation.ts';
import type { RecordedRequest } from '../model/finished-request.ts';
import type { ApiKeyConfig, RouteConfig, UpstreamConfig } from '../model/gateway-config.ts';
import { type TrafficEffect, type TrafficEffectName, trafficEffects } from '../model/traffic-effect.ts';
import type { Explainer } from './control-context.ts';
import { Pace } from './pace.ts';

/** A gateway config, as far as it decides what becomes of recorded requests. */
export interface TrafficSide {
  /** All of them, the disabled ones too. */
  readonly routes: readonly RouteConfig[];
  upstream(id: string): ComparedUpstream | undefined;
  key(id: string): Pick<ApiKeyConfig, 'routes' | 'expires_at' | 'revoked'> | undefined;
}

export type ComparedUpstream = Pick<UpstreamConfig, 'name' | 'base_url' | 'enabled' | 'preserve_host' | 'auth_type' | 'auth_header'>;

/** What would become of a request. */
interface Fate {
  /** `sent`, or why not. */
  readonly kind: 'sent' | Exclude<TrafficEffectName, 'public' | 'moved' | 'altered' | 'served'>;
  readonly route: RouteConfig | null;
  readonly upstream: ComparedUpstream | null;
}

type Group = TrafficEffect['groups'][number];

const mostGroups = 20;
const mostExamples = 3;
/** Thousands of expressions on one host take their time: what could not be looked at by then is not. Milliseconds. */
const longest = 2_000;
/** Records are cut there: see exchange-line.ts. */
const longestPath = 2_048;
const longestHost = 255;

/**
 * What recorded requests, the newest first, would do differently under another gateway config. Only what is certain is told: headers
 * are not recorded, so where they decide, a request is not judged.
 */
export async function compareTraffic(
  explainer: Pick<Explainer, 'takersOf'>,
  requests: readonly RecordedRequest[],
  [now, then]: readonly [TrafficSide, TrafficSide],
  at: number,
): Promise<TrafficEffect> {
  const groups = new Map<string, { group: Group; examples: Group['examples'] }>();
  const judge = new Judge(explainer, now, then, at);
  const pace = new Pace();
  const begun = performance.now();
  let [looked, unchanged, changed, notJudged] = [0, 0, 0, 0];
  for (const request of requests) {
    if (performance.now() - begun > longest) break;
    await pace.rest();
    looked += 1;
    const judged = judge.effectOn(request);
    if (judged === 'unchanged') unchanged += 1;
    else if (judged === 'not judged') notJudged += 1;
    else {
      changed += 1;
      addTo(groups, judged, request);
    }
  }
  const inOrder = [...groups.values()]
    .map(({ group }) => group)
    .toSorted((a, b) => trafficEffects.indexOf(a.effect) - trafficEffects.indexOf(b.effect) || b.requests - a.requests);
  return {
    requests: looked,
    since: requests[looked - 1]?.time ?? null,
    unchanged,
    changed,
    not_judged: notJudged,
    groups: inOrder.slice(0, mostGroups),
    left_out: inOrder.slice(mostGroups).reduce((sum, group) => sum + group.requests, 0),
  };
}

interface Change {
  readonly effect: TrafficEffectName;
  readonly from: Fate;
  readonly to: Fate;
}

function addTo(
  groups: Map<string, { group: Group; examples: Group['examples'] }>,
  { effect, from, to }: Change,
  request: RecordedRequest,
): void {
  const key = JSON.stringify([effect, from.route?.id, to.route?.id, from.upstream?.name, to.upstream?.name]);
  let found = groups.get(key);
  if (found === undefined) {
    const examples: Group['examples'] = [];
    const group: Group = {
      effect,
      from_route: from.route?.name ?? null,
      from_upstream: from.upstream?.name ?? null,
      to_route: to.route?.name ?? null,
      to_upstream: to.upstream?.name ?? null,
      requests: 0,
      examples,
    };
    groups.set(key, (found = { group, examples }));
  }
  found.group.requests += 1;
  const { id, method, host, path } = request;
  if (found.examples.length < mostExamples) found.examples.push({ id, method, host, path: path.slice(0, 200) });
}

class Judge {
  readonly #explainer: Pick<Explainer, 'takersOf'>;
  readonly #now: TrafficSide;
  readonly #then: TrafficSide;
  readonly #at: number;
  /** Real traffic asks for the same again and again. */
  readonly #known = new Map<string, readonly [RecordedTakers, RecordedTakers] | null>();

  constructor(explainer: Pick<Explainer, 'takersOf'>, now: TrafficSide, then: TrafficSide, at: number) {
    this.#explainer = explainer;
    this.#now = now;
    this.#then = then;
    this.#at = at;
  }

  effectOn(request: RecordedRequest): Change | 'unchanged' | 'not judged' {
    if (!wasMatched(request)) return 'unchanged';
    if (request.path.length >= longestPath || request.host.length >= longestHost) return 'not judged';
    const takers = this.#takers(request);
    // Refused before any route is looked at, then as now.
    if (takers === null) return 'unchanged';
    const [before, after] = takers;
    if (!isCertain(before) || !isCertain(after)) return this.#isSame(before, after, request) ? 'unchanged' : 'not judged';
    return changeOf(this.#fate(this.#now, before, request), this.#fate(this.#then, after, request));
  }

  #takers(request: RecordedRequest): readonly [RecordedTakers, RecordedTakers] | null {
    const key = JSON.stringify([request.method, request.host, request.path]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const before = this.#explainer.takersOf(this.#now.routes, request);
    const after = this.#explainer.takersOf(this.#then.routes, request);
    const takers = before === null || after === null ? null : ([before, after] as const);
    this.#known.set(key, takers);
    return takers;
  }

  /** Whether all that may take it is the same before and after, so that it does the same whatever its headers are. */
  #isSame(before: RecordedTakers, after: RecordedTakers, request: RecordedRequest): boolean {
    const shown = (side: TrafficSide, { routes, takesOtherMethods, preflighted }: RecordedTakers): string =>
      JSON.stringify([
        routes.map((route) => [
          route.id,
          route.headers,
          forwardingOf(route),
          side.upstream(route.upstream_id),
          this.#keyProblem(side, route, request),
        ]),
        routes.length === 0 && takesOtherMethods,
        preflighted.map((route) => [route.id, route.headers, route.methods, route.cors, route.priority]),
      ]);
    return shown(this.#now, before) === shown(this.#then, after);
  }

  #fate(side: TrafficSide, { routes: [route], takesOtherMethods }: RecordedTakers, request: RecordedRequest): Fate {
    if (route === undefined) return { kind: takesOtherMethods ? 'method_not_allowed' : 'not_found', route: null, upstream: null };
    const upstream = side.upstream(route.upstream_id) ?? null;
    const fate = (kind: Fate['kind']): Fate => ({ kind, route, upstream });
    const keyProblem = this.#keyProblem(side, route, request);
    if (keyProblem !== null) return fate(keyProblem);
    if (upstream !== null && !upstream.enabled) return fate('disabled');
    if (request.status === 101 && route.protocol !== 'websocket') return fate('upgrade_refused');
    return fate('sent');
  }

  #keyProblem(side: TrafficSide, route: RouteConfig, { key_id: keyId }: RecordedRequest): 'key_needed' | 'key_refused' | null {
    if (!route.auth_required) return null;
    if (keyId === null) return 'key_needed';
    const key = side.key(keyId);
    const opens =
      key !== undefined &&
      !key.revoked &&
      (key.expires_at === null || key.expires_at > this.#at) &&
      (key.routes.length === 0 || key.routes.includes(route.id));
    return opens ? null : 'key_refused';
  }
}

/** Whether it came so far that routes decided what became of it. */
function wasMatched({ route_id: routeId, code, method }: RecordedRequest): boolean {
  if (routeId !== null) return true;
  if (method === 'CONNECT' || method === 'TRACE') return false;
  return code === 'route_not_found' || code === 'method_not_allowed';
}

function isCertain({ routes, preflighted }: RecordedTakers): boolean {
  return preflighted.length === 0 && routes.every(({ headers }) => headers.length === 0);
}

function changeOf(from: Fate, to: Fate): Change | 'unchanged' {
  const effect = effectOf(from, to);
  return effect === null ? 'unchanged' : { effect, from, to };
}

function effectOf(from: Fate, to: Fate): TrafficEffectName | null {
  if (to.kind !== 'sent') return from.kind === to.kind ? null : to.kind;
  if (from.kind !== 'sent') return 'served';
  if (from.route!.auth_required && !to.route!.auth_required) return 'public';
  if (from.route!.id !== to.route!.id || from.route!.upstream_id !== to.route!.upstream_id) return 'moved';
  return sentAs(from) === sentAs(to) ? null : 'altered';
}

function sentAs({ route, upstream }: Fate): string {
  return JSON.stringify([forwardingOf(route!), { ...upstream, name: '' }]);
}

/** What a route makes of its requests and their responses. */
function forwardingOf(route: RouteConfig): unknown {
  const { upstream_id, auth_required, path_rewrite, method_override, request_transform, response_transform, protocol } = route;
  return [upstream_id, auth_required, path_rewrite, method_override, request_transform, response_transform, protocol];
}
