import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import type { Upstream } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';

const atOnce = 4;

export interface SwitchUpstreams {
  /** Ids whose switch is on its way to the gateway. */
  readonly switching: ReadonlySet<string>;
  readonly switchAll: (upstreams: readonly Upstream[], enabled: boolean) => Promise<void>;
}

/** Enables or disables upstreams; says in one message which could not be. */
export function useSwitchUpstreams(): SwitchUpstreams {
  const [switching, setSwitching] = useState<ReadonlySet<string>>(new Set());
  const switchAll = async (upstreams: readonly Upstream[], enabled: boolean): Promise<void> => {
    const due = upstreams.filter((upstream) => upstream.enabled !== enabled && !upstream.managed);
    setSwitching(new Set(due.map(({ id }) => id)));
    const failures: string[] = [];
    const left = [...due];
    const work = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const { id, name } = next;
        await callApi('patch', '/admin/upstreams/:id', { param: { id }, json: { enabled } }).catch((error: unknown) =>
          failures.push(`${name}: ${problemOf(error).message}`),
        );
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    await invalidate('upstreams', 'traffic');
    setSwitching(new Set());
    const done = due.length - failures.length;
    const what = due.length === 1 ? due[0]!.name : `${done} upstreams`;
    if (done > 0) notifications.show({ message: `${what} ${done > 1 ? 'are' : 'is'} ${enabled ? 'enabled' : 'disabled'}.` });
    else if (failures.length === 0) notifications.show({ message: `Nothing to do: all of them are ${enabled ? 'enabled' : 'disabled'}.` });
    if (failures.length > 0) notifications.show({ color: 'red', title: 'Not changed', message: failures.slice(0, 5).join(' · ') });
  };
  return { switching, switchAll };
}
