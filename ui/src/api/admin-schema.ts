import type { ExtractSchema } from 'hono/types';
import type { AdminApp } from '../../../src/admin/admin-app.ts';

// The types of the client, read from the admin app's own: a path, a field or a status that the API does not have does not
// compile here. Nothing of it is left at run time.

type Schema = ExtractSchema<AdminApp>;
export type Method = 'get' | 'post' | 'patch' | 'delete';
/** `/admin/keys/:id` and the like, which take this method. */
export type PathOf<M extends Method> = { [P in keyof Schema]: `$${M}` extends keyof Schema[P] ? P : never }[keyof Schema];

type Endpoint<M extends Method, P extends PathOf<M>> = Schema[P][`$${M}` & keyof Schema[P]];
type InputOf<M extends Method, P extends PathOf<M>> = Endpoint<M, P> extends { input: infer Input } ? Input : never;

/** What a call takes: `param`, `query` and `json`, each where the path has it. */
export type CallInput<M extends Method, P extends PathOf<M>> = Pick<InputOf<M, P>, keyof InputOf<M, P> & ('param' | 'query' | 'json')>;

/** The body of the answer of 2xx. */
export type Output<M extends Method, P extends PathOf<M>> = BodyOf<Extract<Endpoint<M, P>, { status: 200 | 201 }>>;
type BodyOf<Answers> = [Answers] extends [never] ? undefined : Answers extends { output: infer Body } ? Body : never;

/** One item of a list. */
export type Item<P extends PathOf<'get'>> = Output<'get', P> extends { data: (infer One)[] } ? One : never;

export type Listener = Output<'get', '/admin/settings'>['listeners'][number];
export type ApiKey = Item<'/admin/keys'>;
export type Upstream = Item<'/admin/upstreams'>;
export type Route = Item<'/admin/routes'>;
export type UpstreamTest = Output<'post', '/admin/upstreams/test'>;
export type Me = Output<'get', '/admin/me'>;
export type Traffic = Output<'get', '/admin/traffic'>;
export type UpstreamTraffic = Output<'get', '/admin/upstreams/:id/traffic'>;
export type FinishedRequest = Item<'/admin/requests'>;
export type Revision = Item<'/admin/history'>;
export type RevisionDetail = Output<'get', '/admin/history/:revision'>;
export type TimelineEvent = Item<'/admin/events'>;
export type PlacedRoute = Item<'/admin/route-order'>;
export type RoutePreview = Output<'post', '/admin/routes/preview'>;
export type Explanation = Output<'post', '/admin/explain'>;
