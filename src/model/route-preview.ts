import type { ErrorCode } from '../errors/catalogue.ts';
import type { RouteId } from './ids.ts';

/** A request to try a route with. */
export interface SampleRequest {
  readonly method: string;
  /** Path with query, or a whole URL, whose host then is the request's. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | null;
}

/** What the upstream would answer it. */
export interface SampleResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | null;
}

export interface PreviewHeader {
  readonly name: string;
  readonly value: string;
}

/** One step that was done, in order. */
export interface PreviewStep {
  readonly message: 'request' | 'response';
  /** The field that it comes from: `path_rewrite`, `request_transform`, `request_transform.conditions.0`. */
  readonly source: string;
  readonly part: 'headers' | 'query' | 'body' | 'path' | 'method';
  readonly detail: string;
  /** What it was about, as it stood before and after: fields, the query, the target, the method; null for bodies. */
  readonly before: string | null;
  readonly after: string | null;
}

/** What a route makes of a sample. Secrets are masked. */
export interface RoutePreview {
  /** Whether the route takes such a request at all. */
  readonly matches: boolean;
  /** The route that wins it now, or null: this one, another one, or none. */
  readonly winner: { readonly id: RouteId; readonly name: string } | null;
  /** What the gateway answers itself instead; null where the sample passes. */
  readonly error: { readonly code: ErrorCode; readonly status: number; readonly reason: string } | null;
  readonly steps: readonly PreviewStep[];
  /** What the upstream gets; null where it gets nothing. */
  readonly request: {
    readonly method: string;
    readonly target: string;
    readonly headers: readonly PreviewHeader[];
    readonly body: string | null;
  } | null;
  /** What the client gets; null without a sample response, and where the gateway answers itself. */
  readonly response: { readonly status: number; readonly headers: readonly PreviewHeader[]; readonly body: string | null } | null;
}
