import { Switch } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { Route } from '../../api/admin-schema.ts';
import { switchEnabled } from '../../components/switch-enabled.ts';

/** Switches a route on and off at once. */
export function EnabledSwitch({ route }: { readonly route: Route }) {
  const switching = useMutation({ mutationFn: (enabled: boolean) => switchEnabled('routes', [route], enabled) });
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
