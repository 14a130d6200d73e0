import { lazyRouteComponent } from '@tanstack/react-router';
import { fetched } from '../components/missing-code.tsx';

/**
 * The component of a route, loaded when the page is visited. Where it cannot be had `PageError` says so: the router by itself would
 * reload the page, which ends in the browser's own error where the gateway does not answer.
 */
export function lazyPage<Module extends Record<string, unknown>, Name extends keyof Module & string>(
  load: () => Promise<Module>,
  name: Name,
) {
  return lazyRouteComponent(fetched(load), name);
}
