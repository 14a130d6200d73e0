import { Switch } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import type { Route } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { tellWarnings } from './tell-warnings.ts';

/** Switches a route on and off at once; goes back, and says why, when that does not work out. */
export function EnabledSwitch({ route }: { readonly route: Route }) {
  const switching = useMutation({
    mutationFn: async (enabled: boolean) => {
      const { warnings } = await callApi('patch', '/admin/routes/:id', { param: { id: route.id }, json: { enabled } });
      await invalidate('routes');
      return warnings;
    },
    onSuccess: (warnings) => {
      tellWarnings(route.name, warnings);
    },
    onError: (error) =>
      notifications.show({ color: 'red', title: `${route.name} stays as it was`, message: problemOf(error).message, autoClose: 10_000 }),
  });
  const checked = switching.isPending ? switching.variables : route.enabled;
  return (
    <Switch
      size="sm"
      checked={checked}
      disabled={route.managed}
      aria-label={`${route.name} is enabled`}
      onChange={(event) => switching.mutate(event.currentTarget.checked)}
    />
  );
}
