import { apiKeyDefaults } from '../model/api-key.ts';
import { createApiKeySchema } from '../model/api-key-schema.ts';
import type { RouteId, UpstreamId } from '../model/ids.ts';
import { type HeaderCondition, routeDefaults } from '../model/route.ts';
import { defaultHostMatchType } from '../model/route-patterns.ts';
import { createRouteSchema } from '../model/route-schema.ts';
import { upstreamDefaults } from '../model/upstream.ts';
import { createUpstreamSchema } from '../model/upstream-schema.ts';
import type { ApiKeyRow, RouteRow, UpstreamRow } from '../store/store.ts';
import { apiKeyOf } from './api-keys.ts';
import { routeOf } from './routes.ts';
import { upstreamOf } from './upstreams.ts';

/** An object as declarative files hold it, in their order of fields. */
export type DeclaredFields = Readonly<Record<string, unknown>>;

/** Stands for a sealed credential where fields are compared; never in an export. */
export const storedSecret = '(stored)';

/** All fields of an upstream; the credential as its reference, as `storedSecret`, or null. */
export function declaredUpstream(row: Omit<UpstreamRow, 'revision'>): DeclaredFields {
  const auth_value = row.auth_value_reference ?? (row.auth_value_sealed === null ? null : storedSecret);
  return fieldsOf(createUpstreamSchema.shape, { ...upstreamOf(row), auth_value });
}

/** All fields of a route, its upstream by name. */
export function declaredRoute(row: Omit<RouteRow, 'revision'>, upstreamName: (id: UpstreamId) => string | undefined): DeclaredFields {
  const upstream = upstreamName(row.upstream_id) ?? row.upstream_id;
  const fields = fieldsOf(createRouteSchema.shape, { ...routeOf(row), upstream_id: upstream, headers: shortHeaders(row.headers) });
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field === 'upstream_id' ? 'upstream' : field, value]));
}

/** All fields of an API key, its routes by name; one that is deleted by its id, since an emptied list would open all. */
export function declaredKey(row: Omit<ApiKeyRow, 'revision'>, routeName: (id: RouteId) => string | undefined): DeclaredFields {
  return fieldsOf(createApiKeySchema.shape, { ...apiKeyOf(row), routes: row.routes.map((id) => routeName(id) ?? id) });
}

/** As an export shows it: without what an apply would fill in by itself. */
export function exportedUpstream(row: UpstreamRow): DeclaredFields {
  const { auth_value, ...fields } = declaredUpstream(row);
  const short = withoutDefaults(fields, upstreamDefaults);
  if (row.auth_type === 'none' || auth_value === storedSecret) return short;
  // A credential that was cleared stays so: without the null it would be asked for.
  return { ...short, auth_value };
}

export function exportedRoute(row: RouteRow, upstreamName: (id: UpstreamId) => string | undefined): DeclaredFields {
  const defaults = { ...routeDefaults, host_match_type: defaultHostMatchType(row.host_pattern) };
  return withoutDefaults(declaredRoute(row, upstreamName), defaults);
}

export function exportedKey(row: ApiKeyRow, routeName: (id: RouteId) => string | undefined): DeclaredFields {
  return withoutDefaults(declaredKey(row, routeName), apiKeyDefaults);
}

/** What is not the default, which null always means. */
export function withoutDefaults(fields: DeclaredFields, defaults: object): DeclaredFields {
  const usual = defaults as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(fields).filter(([field, value]) => value !== null && !(Object.hasOwn(usual, field) && sameJson(value, usual[field]))),
  );
}

/** The fields that can be written are those of the schema: new ones need no line here. */
function fieldsOf(shape: object, shown: object): DeclaredFields {
  const values = shown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(shape)
      .filter((field) => values[field] !== undefined)
      .map((field) => [field, values[field]]),
  );
}

/** `{"X-API-Version": "2"}` where the conditions say no more than that, else a list without its defaults. */
function shortHeaders(headers: readonly HeaderCondition[]): unknown {
  const plain = headers.every(({ is_regex, required }) => !is_regex && required);
  const names = new Set(headers.map(({ name }) => name));
  // Names that are whole numbers would change places in an object.
  const safe = names.size === headers.length && headers.every(({ name }) => name !== '__proto__' && !/^\d+$/.test(name));
  if (headers.length > 0 && plain && safe) return Object.fromEntries(headers.map(({ name, value }) => [name, value]));
  return headers.map(({ name, value, is_regex, required }) => ({
    name,
    value,
    ...(is_regex ? { is_regex } : {}),
    ...(required ? {} : { required }),
  }));
}

export function sameJson(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
