import type { Explained } from '../../model/explanation.ts';
import type { RouteConfig } from '../../model/gateway-config.ts';

type Candidate = Explained['candidates'][number];

/** What happens and why, for somebody who is tired: the deciding reason first. */
export function verdictOf(explained: Explained, route: RouteConfig | null, nearest: Candidate | null): string {
  const { stage, status, code } = explained;
  const what = status === null ? '' : `${status}${code === null ? '' : ` ${code}`}: `;
  const wins = `Route "${explained.route ?? ''}" wins, but `;
  switch (stage) {
    case 'head':
      return `${what}the request is refused before any route is looked at: ${headReason(explained)}.`;
    case 'own':
      return `${what}${ownReason(explained)}`;
    case 'match':
      return `${what}${matchReason(explained, nearest)}`;
    case 'preflight':
      return `${what}the gateway itself answers this CORS preflight, for route "${explained.route ?? ''}"${
        explained.reason === null ? '' : `; but the browser will not go on: ${explained.reason}`
      }.`;
    case 'admit':
      return `${what}${wins}${admissionReason(explained)}.`;
    case 'transform':
      return `${what}${wins}its transformation fails: ${explained.reason ?? ''}.`;
    case 'forward':
      return `${what}${wins}${forwardReason(explained, route)}.`;
    case 'sent':
      return `Goes to upstream "${explained.upstream ?? ''}" by route "${explained.route ?? ''}".`;
  }
}

function headReason({ code, method, reason }: Explained): string {
  if (code === 'method_not_allowed' && reason === null) return `${method} is never forwarded`;
  if (code === 'loop_detected') return 'its Via says that it has been through this gateway before';
  return reason ?? 'it is malformed';
}

function ownReason({ status, method, path, code }: Explained): string {
  if (code === 'upgrade_not_allowed' || code === 'request_malformed')
    return `the gateway itself answers ${path}, and takes no upgrades there.`;
  if (path === '*') return 'the gateway itself answers OPTIONS *.';
  if (status !== null) return `the gateway itself answers ${method} ${path}; no route ever gets it.`;
  return `${path} belongs to the gateway itself: its admin plane answers, and no route ever gets it.`;
}

function matchReason({ code, method, response_headers: headers }: Explained, nearest: Candidate | null): string {
  if (code === 'method_not_allowed') {
    const allowed = headers.find(({ name }) => name.toLowerCase() === 'allow')?.value ?? '';
    return `routes for this host and path take only ${allowed}, not ${method}.`;
  }
  return nearest === null ? 'no route takes it, and none is near.' : `no route takes it. Nearest is "${nearest.name}": ${nearest.detail}.`;
}

function admissionReason({ code, key }: Explained): string {
  switch (code) {
    case 'missing_api_key':
      return 'it needs an API key and none was sent (X-API-Key, or Authorization: Bearer; keys begin with ak_)';
    case 'key_expired':
      return `the API key "${key ?? ''}" has expired`;
    case 'key_revoked':
      return `the API key "${key ?? ''}" is revoked`;
    case 'invalid_api_key':
      return key === null
        ? 'the API key that was sent is not known here, or two different ones were sent'
        : `the API key "${key}" does not open this route`;
    default:
      return 'the API key does not let it through';
  }
}

function forwardReason({ code, upstream, reason }: Explained, route: RouteConfig | null): string {
  switch (code) {
    case 'upstream_disabled':
      return `its upstream "${upstream ?? ''}" is disabled`;
    case 'upstream_credential_unavailable':
      return `the credential of upstream "${upstream ?? ''}" cannot be produced: ${reason ?? 'it is not set'}`;
    case 'upgrade_not_allowed':
      return `the request asks for a WebSocket, and the route's protocol is ${route?.protocol ?? 'another'}`;
    default:
      return reason ?? 'it is not sent on';
  }
}
