import type { ErrorCode } from '../../errors/catalogue.ts';
import type { ExchangeOutcome } from './finished-exchange.ts';

/** The class that an error of the gateway's own belongs to in the access log and in metrics. */
export function outcomeOf(code: ErrorCode): ExchangeOutcome {
  switch (code) {
    case 'upstream_connection_refused':
    case 'upstream_unreachable':
    case 'upstream_dns_failure':
    case 'upstream_tls_untrusted':
    case 'upstream_tls_name_mismatch':
    case 'upstream_tls_expired':
    case 'upstream_tls_failed':
    case 'upstream_connect_timeout':
    case 'upstream_address_forbidden':
      return 'upstream_connect';
    case 'upstream_timeout':
      return 'upstream_timeout';
    case 'upstream_reset':
      return 'upstream_reset';
    case 'upstream_invalid_response':
      return 'upstream_protocol';
    case 'upstream_overloaded':
    case 'draining':
      return 'overload';
    default:
      return 'rejected';
  }
}
