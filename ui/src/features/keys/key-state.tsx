import { Badge } from '@mantine/core';
import type { ApiKey } from '../../api/admin-schema.ts';

/** Whether a key opens anything. Said in words: colour alone tells some people nothing. */
export function KeyState({ apiKey }: { readonly apiKey: ApiKey }) {
  const [label, color] = stateOf(apiKey);
  return (
    <Badge variant="dot" color={color} tt="none" fw={500}>
      {label}
    </Badge>
  );
}

function stateOf({ revoked_at, expires_at }: ApiKey): [string, string] {
  if (revoked_at !== null) return ['Revoked', 'red'];
  if (expires_at !== null && Date.parse(expires_at) <= Date.now()) return ['Expired', 'orange'];
  return ['Active', 'green'];
}
