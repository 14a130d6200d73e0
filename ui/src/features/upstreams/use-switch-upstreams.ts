import { useCallback, useState } from 'react';
import type { Upstream } from '../../api/admin-schema.ts';
import { switchEnabled } from '../../components/switch-enabled.ts';

export interface SwitchUpstreams {
  /** Ids whose switch is on its way to the gateway. */
  readonly switching: ReadonlySet<string>;
  readonly switchAll: (upstreams: readonly Upstream[], enabled: boolean) => Promise<void>;
}

/** Enables or disables upstreams. */
export function useSwitchUpstreams(): SwitchUpstreams {
  const [switching, setSwitching] = useState<ReadonlySet<string>>(new Set());
  const switchAll = useCallback(async (upstreams: readonly Upstream[], enabled: boolean): Promise<void> => {
    // Others may be on their way already.
    const ids = new Set<string>(upstreams.map(({ id }) => id));
    setSwitching((before) => new Set([...before, ...ids]));
    await switchEnabled('upstreams', upstreams, enabled);
    setSwitching((before) => new Set([...before].filter((id) => !ids.has(id))));
  }, []);
  return { switching, switchAll };
}
