import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import type { RoutePreview } from '../../api/admin-schema.ts';
import type { ApiProblem } from '../../api/api-problem.ts';
import { callApi } from '../../api/call-api.ts';
import { headersByName, readHeaderLines } from './header-lines.ts';
import { fieldsOfRoute, type RouteValues } from './route-values.ts';

/** What the draft is tried with. Texts as typed. */
export interface Sample {
  readonly method: string;
  readonly url: string;
  readonly headers: string;
  readonly body: string;
  /** What the upstream would answer; without it nothing is said of the response. */
  readonly response?: { readonly status: number | string; readonly headers: string; readonly body: string };
}

export interface PreviewState {
  readonly preview: RoutePreview | undefined;
  readonly problem: ApiProblem | undefined;
  /** Why nothing can be shown yet. */
  readonly missing: string | undefined;
  /** Whether what is shown belongs to an earlier draft. */
  readonly isStale: boolean;
}

/** What the gateway would make of a sample with this draft: asked a moment after the last change, nothing is stored or sent. */
export function useRoutePreview(values: RouteValues, routeId: string | undefined, sample: Sample): PreviewState {
  const missing = missingOf(values, sample);
  const input = missing === undefined ? inputOf(values, routeId, sample) : undefined;
  const [asked] = useDebouncedValue(JSON.stringify(input), 250);
  const { data, error, isFetching } = useQuery<RoutePreview, ApiProblem>({
    queryKey: ['preview', asked],
    queryFn: async ({ signal }) =>
      (await callApi('post', '/admin/routes/preview', { json: JSON.parse(asked ?? '') as ReturnType<typeof inputOf> }, { signal })).value,
    enabled: asked !== undefined,
    placeholderData: (before) => before,
    staleTime: 0,
    gcTime: 10_000,
    retry: false,
  });
  const isStale = isFetching || JSON.stringify(input) !== asked;
  return {
    preview: missing === undefined && error === null ? data : undefined,
    problem: missing === undefined ? (error ?? undefined) : undefined,
    missing,
    isStale,
  };
}

function missingOf({ path_pattern, upstream_id }: RouteValues, sample: Sample): string | undefined {
  if (path_pattern.trim() === '' || upstream_id === null) return 'Give it a path and an upstream first.';
  if (sample.url.trim() === '') return 'Give the sample a URL.';
  const lines = [readHeaderLines(sample.headers), readHeaderLines(sample.response?.headers ?? '')];
  return lines.find((read): read is string => typeof read === 'string');
}

function inputOf(values: RouteValues, routeId: string | undefined, { method, url, headers, body, response }: Sample) {
  const { name, ...fields } = fieldsOfRoute(values);
  return {
    ...(routeId === undefined ? {} : { route_id: routeId }),
    route: { ...fields, name: name === '' ? 'draft' : name, enabled: true },
    request: { method: method === '' ? 'GET' : method, url: url.trim(), ...messageOf(headers, body) },
    ...(response === undefined
      ? {}
      : { response: { status: response.status === '' ? 200 : Number(response.status), ...messageOf(response.headers, response.body) } }),
  };
}

/** A body that says nothing of its kind is taken for JSON: that is what is changed in bodies. */
function messageOf(text: string, body: string) {
  const lines = [...(readHeaderLines(text) as readonly { name: string; value: string }[])];
  const isTyped = lines.some(({ name }) => name.toLowerCase() === 'content-type');
  if (body !== '' && !isTyped) lines.push({ name: 'Content-Type', value: 'application/json' });
  return { headers: headersByName(lines), ...(body === '' ? {} : { body }) };
}
