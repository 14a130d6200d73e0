import type { Schema } from 'hono/types';
import type { AccessContext } from '../control/access-context.ts';
import type { ControlContext } from '../control/control-context.ts';
import type { LiveTraffic } from '../control/live-traffic.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { adminRoutes } from './admin-routes.ts';
import { AdminRouter, type AccessEntry } from './admin-router.ts';
import { auditRoutes } from './audit-routes.ts';
import { compileAllowList } from './allow-list.ts';
import { apiKeyRoutes } from './api-key-routes.ts';
import { identify } from './authorise.ts';
import { explainRoutes } from './explain-routes.ts';
import { gatewayConfigRoutes } from './gateway-config-routes.ts';
import { guard } from './guard.ts';
import { healthRoutes } from './health-routes.ts';
import { historyRoutes } from './history-routes.ts';
import { createHostRule } from './host-rule.ts';
import { documentRoutes } from './document-routes.ts';
import { problemResponse, type AdminLog } from './problem-response.ts';
import { requestRoutes } from './request-routes.ts';
import { routeRoutes } from './route-routes.ts';
import { addSecurityHeaders } from './security-headers.ts';
import { serveUi } from './serve-ui.ts';
import type { ReadUi } from './ui-files.ts';
import { settingsRoutes, type StartedWith } from './settings-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { setupRoutes } from './setup-routes.ts';
import { tokenRoutes } from './token-routes.ts';
import { trafficRoutes } from './traffic-routes.ts';
import { upstreamRoutes } from './upstream-routes.ts';
import { metricsRoutes, type MetricsSource } from './metrics-routes.ts';
import { versionRoutes } from './version-routes.ts';

export interface AdminAppOptions {
  /** For upstreams, routes and keys. */
  readonly control: ControlContext;
  /** For admins, sessions, tokens and set-up. */
  readonly access: AccessContext;
  /** APIGATE_ADMIN_ALLOW, its words expanded: addresses and CIDRs. */
  readonly allow: readonly string[];
  /** APIGATE_ADMIN_HOSTS: names besides addresses and `localhost`. */
  readonly hosts: readonly string[];
  /** The version of APIGate. */
  readonly version: string;
  readonly log: AdminLog;
  /** Text of `/metrics`; without it there is no such path. */
  readonly metrics?: MetricsSource;
  /** What the workers of this process do; without it there are no paths that show it. */
  readonly traffic?: LiveTraffic;
  /** What this gateway was started with; without it there is no path that shows it. */
  readonly startedWith?: StartedWith | undefined;
  /** Reads the built admin UI; without it `/ui/` says how to build it. */
  readonly ui?: ReadUi | undefined;
}

/**
 * The admin API. `app.fetch(request, env)` answers one request; `env` are AdminBindings, of which nothing may come from
 * the request itself. `app.access` says what each route asks of its caller.
 * @throws Error when `allow` has an entry that cannot be understood
 */
export function createAdminApp(options: AdminAppOptions) {
  const { control, access, version, log } = options;
  const app = new AdminRouter();
  app.use(
    addSecurityHeaders(),
    guard(compileAllowList(options.allow), createHostRule(options.hosts)),
    serveUi(options.ui ?? (() => Promise.resolve(undefined))),
    identify(access),
  );
  const routed = app
    .include(sessionRoutes(access))
    .include(setupRoutes(access))
    .include(upstreamRoutes(control))
    .include(routeRoutes(control))
    .include(apiKeyRoutes(control))
    .include(explainRoutes(control))
    .include(gatewayConfigRoutes(control, options.traffic))
    .include(historyRoutes(control))
    .include(tokenRoutes(access))
    .include(adminRoutes(access))
    .include(auditRoutes(access))
    .include(versionRoutes(access, version))
    .include(where(options.startedWith, settingsRoutes))
    .include(metricsRoutes(options.metrics))
    .include(where(options.traffic, (traffic) => requestRoutes(control, access, traffic)))
    .include(where(options.traffic, (traffic) => healthRoutes(control, traffic)))
    .include(where(options.traffic, (traffic) => trafficRoutes(control, access, traffic)));
  const documented = routed.include(documentRoutes(routed, version));
  app.onError((error, c) => problemResponse(error, { requestId: c.env.requestId, method: c.req.method, path: c.req.path }, log));
  app.notFound((c) => {
    const allowed = methodsFor(app.access, c.req.path);
    const error = allowed.length === 0 ? new GatewayError('not_found', { detail: 'There is nothing at this path.' }) : methodError(allowed);
    const response = problemResponse(error, { requestId: c.env.requestId, method: c.req.method, path: c.req.path }, log);
    if (allowed.length > 0) response.headers.set('Allow', allowed.join(', '));
    return response;
  });
  return documented;
}

export type AdminApp = ReturnType<typeof createAdminApp>;

/** Routes that exist only where what they show does; their types, which the UI's client is made of, always do. */
function where<Known, More extends Schema>(known: Known | undefined, routes: (known: Known) => AdminRouter<More>): AdminRouter<More> {
  return known === undefined ? new AdminRouter<More>() : routes(known);
}

function methodError(allowed: readonly string[]): GatewayError {
  return new GatewayError('method_not_allowed', { detail: `This path takes ${allowed.join(', ')}.` });
}

/** The methods that a path takes; none for a path that leads nowhere. */
function methodsFor(table: readonly AccessEntry[], path: string): string[] {
  const parts = path.split('/');
  const methods = table
    .filter((entry) => {
      const pattern = entry.path.split('/');
      return (
        pattern.length === parts.length &&
        pattern.every((part, index) => part === parts[index] || (part.startsWith(':') && parts[index] !== ''))
      );
    })
    .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  return [...new Set(methods)].toSorted();
}
