import type { RouteConfig } from '../model/gateway-config.ts';
import type { RouteId, UpstreamId } from '../model/ids.ts';
import { routeDefaults } from '../model/route.ts';
import { defaultHostMatchType, hostPatternProblem, pathPatternProblem } from '../model/route-patterns.ts';
import type { UpdateRoute } from '../model/route-schema.ts';
import type { RouteRow, StoreReader } from '../store/store.ts';
import type { ControlContext } from './control-context.ts';
import { lookUp } from './find-resource.ts';
import { routeConfigOf } from './load-change.ts';
import { Pace, type Rests } from './pace.ts';
import type { InputReading } from './validate-input.ts';

export interface RouteDraftTarget {
  readonly id: RouteId;
  /** The row that is changed; undefined for a new one. */
  readonly before: RouteRow | undefined;
  readonly at: number;
  /** The caller tries the route's compilation itself, with others that are changed at the same time. */
  readonly trialLater?: true;
  readonly pace?: Rests;
}

export interface RouteDraft {
  readonly row: Omit<RouteRow, 'revision'>;
  readonly warnings: readonly string[];
}

/**
 * Makes the row that an input leads to and adds to `reading.errors` what only shows against other fields,
 * against the stored upstreams or in the gateway's own compiler. With errors the draft is of no use.
 */
export async function draftRoute(
  context: ControlContext,
  tx: StoreReader,
  reading: InputReading<UpdateRoute>,
  target: RouteDraftTarget,
): Promise<RouteDraft> {
  const { values, errors } = reading;
  const { before } = target;
  const isWrong = (field: string): boolean => errors.some((error) => error.field === field || error.field.startsWith(`${field}.`));
  const given = <Field extends keyof typeof routeDefaults>(field: Field): RouteRow[Field] => {
    const value = values[field] === undefined ? before?.[field] : values[field];
    return (value ?? routeDefaults[field]) as RouteRow[Field];
  };

  const host_match_type = hostMatchTypeOf(values, before);
  const host_pattern = host_match_type === 'regex' ? given('host_pattern') : given('host_pattern').toLowerCase();
  const path_pattern = values.path_pattern ?? before?.path_pattern ?? '';
  const match_type = given('match_type');
  if (!isWrong('host_pattern') && !isWrong('host_match_type')) {
    const problem = hostPatternProblem(host_pattern, host_match_type);
    if (problem !== undefined) errors.push({ field: 'host_pattern', message: problem });
  }
  if (!isWrong('path_pattern') && !isWrong('match_type')) {
    const problem = pathPatternProblem(path_pattern, match_type);
    if (problem !== undefined) errors.push({ field: 'path_pattern', message: problem });
  }

  let upstream_id = before?.upstream_id ?? ('' as UpstreamId);
  const upstream = await lookUp(tx.upstreams, values.upstream_id ?? upstream_id);
  if (upstream !== undefined) upstream_id = upstream.id;
  else if (values.upstream_id !== undefined)
    errors.push({ field: 'upstream_id', message: 'is neither the id nor the name of an upstream' });
  const credentialName = upstream?.auth_type === 'header' ? upstream.auth_header : null;

  const row: RouteDraft['row'] = {
    id: target.id,
    name: values.name ?? before?.name ?? '',
    description: given('description'),
    host_pattern,
    host_match_type,
    path_pattern,
    match_type,
    methods: given('methods'),
    headers: given('headers'),
    upstream_id,
    protocol: given('protocol'),
    cors: given('cors'),
    api_key_query: given('api_key_query'),
    path_rewrite: given('path_rewrite'),
    method_override: given('method_override'),
    request_transform: given('request_transform'),
    response_transform: given('response_transform'),
    auth_required: given('auth_required'),
    priority: given('priority'),
    enabled: given('enabled'),
    managed: before?.managed ?? false,
    created_at: before?.created_at ?? target.at,
    updated_at: target.at,
  };
  await context.trialCompiler.expressions(row, target.pace ?? new Pace());
  // Said together with what is wrong elsewhere; not where what they rely on is not known.
  if (!transformedFrom.some(isWrong)) errors.push(...context.trialCompiler.transformation(configOf(row), credentialName));
  if (errors.length > 0 || target.trialLater === true) return { row, warnings: [] };
  const others = await context.routeTable.othersThan(tx, row.id);
  const trial = context.trialCompiler.route(configOf(row), others);
  errors.push(...trial.errors);
  return { row, warnings: trial.warnings };
}

/** What a transformation is compiled from. */
const transformedFrom = ['path_pattern', 'match_type', 'path_rewrite', 'method_override', 'request_transform', 'response_transform'];

/** A type that only followed from the pattern follows the new pattern too; one that was chosen stays. */
function hostMatchTypeOf(values: Partial<UpdateRoute>, before: RouteRow | undefined): RouteRow['host_match_type'] {
  if (values.host_match_type !== undefined && values.host_match_type !== null) return values.host_match_type;
  const pattern = values.host_pattern === undefined ? (before?.host_pattern ?? '') : (values.host_pattern ?? '');
  const chosen =
    before !== undefined && values.host_match_type === undefined && before.host_match_type !== defaultHostMatchType(before.host_pattern);
  return chosen && pattern !== '' ? before.host_match_type : defaultHostMatchType(pattern);
}

function configOf(row: RouteDraft['row']): RouteConfig {
  return routeConfigOf({ ...row, revision: 0 });
}
