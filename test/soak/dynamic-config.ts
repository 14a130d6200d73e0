import type { Random } from '../fuzz/random.ts';
import type { RouteState } from './judge-answer.ts';

/** The part of the gateway config that changes during a soak, as it should be. Routes are named as their paths: `/d3`. */
export interface DynamicConfig {
  readonly upstreams: ReadonlyMap<string, DynamicUpstream>;
  readonly routes: ReadonlyMap<string, DynamicRoute>;
}

export interface DynamicUpstream {
  /** Name of the server that its base_url leads to. */
  readonly server: string;
  readonly generation: number;
  readonly enabled: boolean;
}

export interface DynamicRoute {
  readonly upstream: string;
  readonly enabled: boolean;
}

/** A call of the admin API, and the config that it leads to. */
export interface Change {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly next: DynamicConfig;
  /** The status that it must have; any 2xx when not given. */
  readonly status?: number;
}

export interface ChangeContext {
  readonly names: readonly string[];
  /** Names of servers, with their addresses. */
  readonly servers: ReadonlyMap<string, string>;
  readonly secretOf: (name: string, generation: number) => string;
  /** A generation that no credential had before. */
  readonly nextGeneration: () => number;
  /** Revisions that there were, with their config. */
  readonly revisions: ReadonlyMap<number, DynamicConfig>;
}

export function routeState({ upstreams, routes }: DynamicConfig, name: string): RouteState {
  const route = routes.get(name);
  if (route === undefined || !route.enabled) return 'gone';
  const upstream = upstreams.get(route.upstream)!;
  return upstream.enabled ? `on ${upstream.server} ${route.upstream}-g${upstream.generation}` : 'off';
}

/** Some change that the present config allows. */
export function chooseChange(random: Random, now: DynamicConfig, context: ChangeContext): Change {
  // At the beginning everything is made, so that there is something to change.
  let change = now.upstreams.size === 0 ? apply(random, now, context) : undefined;
  while (change === undefined) change = random.pick(changes)(random, now, context);
  return change;
}

type ChangeMaker = (random: Random, now: DynamicConfig, context: ChangeContext) => Change | undefined;

const withUpstream = (now: DynamicConfig, name: string, upstream: DynamicUpstream): DynamicConfig => ({
  ...now,
  upstreams: new Map(now.upstreams).set(name, upstream),
});
const withRoute = (now: DynamicConfig, name: string, route: DynamicRoute): DynamicConfig => ({
  ...now,
  routes: new Map(now.routes).set(name, route),
});

const rotate: ChangeMaker = (random, now, { secretOf, nextGeneration }) => {
  if (now.upstreams.size === 0) return undefined;
  const name = random.pick([...now.upstreams.keys()]);
  const generation = nextGeneration();
  const next = withUpstream(now, name, { ...now.upstreams.get(name)!, generation });
  return {
    what: 'rotate a credential',
    method: 'PATCH',
    path: `/upstreams/${name}`,
    body: { auth_value: secretOf(name, generation) },
    next,
  };
};

const move: ChangeMaker = (random, now, { servers, secretOf, nextGeneration }) => {
  if (now.upstreams.size === 0) return undefined;
  const name = random.pick([...now.upstreams.keys()]);
  const generation = nextGeneration();
  const server = random.pick([...servers.keys()]);
  const body = { base_url: servers.get(server)!, auth_value: secretOf(name, generation) };
  const next = withUpstream(now, name, { ...now.upstreams.get(name)!, server, generation });
  return { what: 'move an upstream', method: 'PUT', path: `/upstreams/${name}`, body, next };
};

const toggleUpstream: ChangeMaker = (random, now) => {
  if (now.upstreams.size === 0) return undefined;
  const [name, upstream] = random.pick([...now.upstreams]);
  const enabled = !upstream.enabled;
  const next = withUpstream(now, name, { ...upstream, enabled });
  return {
    what: enabled ? 'enable an upstream' : 'disable an upstream',
    method: 'PATCH',
    path: `/upstreams/${name}`,
    body: { enabled },
    next,
  };
};

const tuneUpstream: ChangeMaker = (random, now) => {
  if (now.upstreams.size === 0) return undefined;
  const name = random.pick([...now.upstreams.keys()]);
  const body = { max_idle_conns: random.below(20), idle_conn_timeout_ms: 1_000 + random.below(20_000), description: 'ü"<\n' };
  return { what: 'tune an upstream', method: 'PATCH', path: `/upstreams/${name}`, body, next: now };
};

const removeUpstream: ChangeMaker = (random, now) => {
  if (now.upstreams.size < 3) return undefined;
  const name = random.pick([...now.upstreams.keys()]);
  const upstreams = new Map(now.upstreams);
  upstreams.delete(name);
  const routes = new Map([...now.routes].filter(([, route]) => route.upstream !== name));
  return {
    what: 'delete an upstream and its routes',
    method: 'DELETE',
    path: `/upstreams/${name}?cascade=true`,
    next: { upstreams, routes },
  };
};

const removeUsedUpstream: ChangeMaker = (random, now) => {
  if (now.routes.size === 0) return undefined;
  const { upstream } = random.pick([...now.routes.values()]);
  return { what: 'delete an upstream that is used', method: 'DELETE', path: `/upstreams/${upstream}`, next: now, status: 409 };
};

const addUpstream: ChangeMaker = (random, now, { names, servers, secretOf, nextGeneration }) => {
  const free = names.filter((name) => !now.upstreams.has(name));
  if (free.length === 0) return undefined;
  const name = random.pick(free);
  const generation = nextGeneration();
  const server = random.pick([...servers.keys()]);
  const body = { name, base_url: servers.get(server)!, auth_type: 'bearer', auth_value: secretOf(name, generation) };
  return {
    what: 'create an upstream',
    method: 'POST',
    path: '/upstreams',
    body,
    next: withUpstream(now, name, { server, generation, enabled: true }),
  };
};

const addRoute: ChangeMaker = (random, now, { names }) => {
  const free = names.filter((name) => !now.routes.has(name));
  if (free.length === 0 || now.upstreams.size === 0) return undefined;
  const name = random.pick(free);
  const upstream = random.pick([...now.upstreams.keys()]);
  const body = { name, path_pattern: `/${name}`, upstream_id: upstream, auth_required: false };
  return { what: 'create a route', method: 'POST', path: '/routes', body, next: withRoute(now, name, { upstream, enabled: true }) };
};

const turnRoute: ChangeMaker = (random, now) => {
  if (now.routes.size === 0) return undefined;
  const [name, route] = random.pick([...now.routes]);
  const upstream = random.pick([...now.upstreams.keys()]);
  const next = withRoute(now, name, { ...route, upstream });
  return { what: 'lead a route elsewhere', method: 'PATCH', path: `/routes/${name}`, body: { upstream_id: upstream }, next };
};

const toggleRoute: ChangeMaker = (random, now) => {
  if (now.routes.size === 0) return undefined;
  const [name, route] = random.pick([...now.routes]);
  const enabled = !route.enabled;
  const next = withRoute(now, name, { ...route, enabled });
  return { what: enabled ? 'enable a route' : 'disable a route', method: 'PATCH', path: `/routes/${name}`, body: { enabled }, next };
};

const removeRoute: ChangeMaker = (random, now) => {
  if (now.routes.size < 3) return undefined;
  const name = random.pick([...now.routes.keys()]);
  const routes = new Map(now.routes);
  routes.delete(name);
  return { what: 'delete a route', method: 'DELETE', path: `/routes/${name}`, next: { ...now, routes } };
};

/** Everything at once, as a file would declare it. */
const apply: ChangeMaker = (random, _now, { names, servers, secretOf, nextGeneration }) => {
  const upstreams = new Map<string, DynamicUpstream>();
  const routes = new Map<string, DynamicRoute>();
  for (const name of names) {
    upstreams.set(name, { server: random.pick([...servers.keys()]), generation: nextGeneration(), enabled: random.chance(0.9) });
    routes.set(name, { upstream: random.pick(names), enabled: random.chance(0.9) });
  }
  const body = {
    upstreams: [...upstreams].map(([name, { server, generation, enabled }]) => ({
      name,
      base_url: servers.get(server)!,
      auth_type: 'bearer',
      auth_value: secretOf(name, generation),
      enabled,
    })),
    routes: [...routes].map(([name, { upstream, enabled }]) => ({
      name,
      path_pattern: `/${name}`,
      upstream,
      auth_required: false,
      enabled,
    })),
  };
  return { what: 'apply a file', method: 'POST', path: '/apply', body, next: { upstreams, routes } };
};

const rollBack: ChangeMaker = (random, _now, { revisions }) => {
  const known = [...revisions].slice(-30);
  if (known.length === 0) return undefined;
  const [revision, next] = random.pick(known);
  return { what: 'roll back', method: 'POST', path: `/history/${revision}/rollback?keep_keys=true`, next };
};

const refused: ChangeMaker = (random, now) => {
  if (now.upstreams.size === 0) return undefined;
  const name = random.pick([...now.upstreams.keys()]);
  const body = random.pick([{ base_url: 'ftp://x' }, { timeout_ms: 0 }, { auth_type: 'magic' }, { auth_value: 'a\r\nb' }, { nonsense: 1 }]);
  return { what: 'a change that is refused', method: 'PATCH', path: `/upstreams/${name}`, body, next: now, status: 422 };
};

const changes: readonly ChangeMaker[] = [
  rotate,
  rotate,
  move,
  toggleUpstream,
  toggleUpstream,
  tuneUpstream,
  removeUpstream,
  removeUsedUpstream,
  addUpstream,
  addUpstream,
  addRoute,
  addRoute,
  addRoute,
  turnRoute,
  turnRoute,
  toggleRoute,
  removeRoute,
  apply,
  rollBack,
  refused,
];
