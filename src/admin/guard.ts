import type { MiddlewareHandler } from 'hono';
import { GatewayError } from '../errors/gateway-error.ts';
import type { AdminEnv } from './admin-env.ts';
import type { AllowList } from './allow-list.ts';
import { bearerTokenOf } from './authorise.ts';
import { crossSiteProblem } from './cross-site.ts';
import type { HostRule } from './host-rule.ts';
import { bodyLimitAt } from './read-json.ts';

/**
 * Decides before anything else whether a request may come near the admin plane: from this address, under this host
 * name, from this site. Calls from inside the process are not asked.
 * @throws GatewayError `forbidden`, `payload_too_large`
 */
export function guard(allowed: AllowList, answersTo: HostRule): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const { headers } = c.req.raw;
    if (c.env.localActor === undefined) {
      // `/` comes here only where no route takes it; whoever may not come in learns no more than that.
      if (c.req.path === '/' && !(allowed.allows(c.env.remoteAddress) && answersTo(headers.get('host') ?? undefined))) {
        throw new GatewayError('route_not_found');
      }
      if (!allowed.allows(c.env.remoteAddress)) {
        throw new GatewayError('forbidden', { detail: 'The admin plane does not answer to your address (APIGATE_ADMIN_ALLOW).' });
      }
      if (!answersTo(headers.get('host') ?? undefined)) {
        throw new GatewayError('forbidden', {
          detail: 'The admin plane does not answer to this host name; use an address or localhost, or add the name to APIGATE_ADMIN_HOSTS.',
        });
      }
      // A token comes only from a client that has it, never from a page of another site.
      const problem = bearerTokenOf(headers) === undefined ? crossSiteProblem({ method: c.req.method, headers }) : undefined;
      if (problem !== undefined) throw new GatewayError('forbidden', { detail: problem });
    }
    if (Number(headers.get('content-length') ?? 0) > bodyLimitAt(c.req.path)) throw new GatewayError('payload_too_large');
    await next();
  };
}
