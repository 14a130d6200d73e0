import type { Explainer } from '../control/control-context.ts';
import { compileTables } from '../gateway/explain/compiled-tables.ts';
import { explainRequest, type ExplainSettings, upstreamAsked } from '../gateway/explain/explain-request.ts';
import { recordedTakers } from '../gateway/explain/recorded-takers.ts';
import type { TransformSettings } from '../gateway/transform/compile-transform.ts';
import type { Settings } from '../settings/settings.ts';

export interface ExplainerOptions {
  readonly settings: Settings;
  readonly transforms: TransformSettings;
  /** CIDRs whose forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly viaToken: string;
}

/** The data plane's own functions, with the settings that workers have, behind the control plane's port. */
export function createExplainer({ settings, transforms, trustedProxies, viaToken }: ExplainerOptions): Explainer {
  const { maxTarget, maxHead, maxHeaders, maxBody } = settings.limits;
  const explaining: ExplainSettings = {
    limits: { maxTarget, maxHead, maxFields: maxHeaders },
    maxBody,
    trustedProxies,
    viaToken,
    hasAdmin: settings.admin.listen === null,
    transforms,
    ports: { http: settings.server.port, https: settings.tls?.port ?? 0 },
  };
  return {
    prepare: compileTables,
    upstreamAsked: (routes, request) => upstreamAsked(explaining, routes, request),
    explain: (input) => explainRequest(explaining, input),
    takersOf: recordedTakers,
  };
}
