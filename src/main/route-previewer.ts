import type { Previewer } from '../control/control-context.ts';
import { previewExchange } from '../gateway/preview/preview-exchange.ts';
import type { TransformSettings } from '../gateway/transform/compile-transform.ts';
import type { Settings } from '../settings/settings.ts';

/** The data plane's own functions, behind the control plane's port. */
export function createPreviewer(transforms: TransformSettings, limits: Settings['limits']): Previewer {
  const { maxTarget, maxHead, maxHeaders } = limits;
  // Values of the environment may be secrets: a preview shows that they are there.
  const masked = { ...transforms, environment: new Map([...transforms.environment.keys()].map((name) => [name, '***'])) };
  return { preview: (input) => previewExchange(input, masked, { maxTarget, maxHead, maxFields: maxHeaders }) };
}
