import { kind } from '../../http/known-fields.ts';
import { isAllowedOrigin, preflightFields } from '../cors-policy.ts';
import type { Exchange } from '../exchange.ts';

/**
 * Answers a browser's question whether it may send a request (CORS-preflight fetch of the Fetch standard), on behalf of the route
 * that this request would take. It comes before authentication: it carries no key. False where it is no such question, or where
 * that route has no `cors`: then it is a request like any other, which an upstream may want to answer itself.
 */
export function answerPreflight(exchange: Exchange): boolean {
  const { fields } = exchange.client.head;
  const origin = fields.valueOfKind(kind.origin);
  if (origin === undefined) return false;
  const method = fields.valueOf('access-control-request-method');
  if (method === undefined || !methodPattern.test(method)) return false;
  const announced = new Set((fields.valueOf('access-control-request-headers') ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const actual = { method, host: exchange.host, path: exchange.path, header: (name: string) => exchange.header(name) };
  const route = exchange.snapshot!.routes.matchPreflight(actual, announced);
  if (route === null || route.corsPolicy === null) return false;
  exchange.route = route;
  if (!isAllowedOrigin(route.corsPolicy, origin)) exchange.reason = "the route's cors does not allow this origin";
  exchange.answer(204, '', '', preflightFields(route.corsPolicy, origin, method));
  return true;
}

/** RFC 9110 section 5.6.2, as long as methods may be. */
const methodPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;
