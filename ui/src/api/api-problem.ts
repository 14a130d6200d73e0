/** What is wrong with one field, as the admin API says it. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** An error that the admin API answered (RFC 9457), or that there was no answer: then `status` is 0 and `code` `unreachable`. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly errors: readonly FieldError[];
  readonly requestId: string | undefined;
  /** Seconds, where the API says when to try again. */
  readonly retryAfter: number | undefined;

  constructor(problem: {
    readonly status: number;
    readonly code: string;
    readonly title: string;
    readonly detail: string;
    readonly errors?: readonly FieldError[];
    readonly requestId?: string | undefined;
    readonly retryAfter?: number | undefined;
  }) {
    super(problem.detail);
    this.name = 'ApiProblem';
    this.status = problem.status;
    this.code = problem.code;
    this.title = problem.title;
    this.errors = problem.errors ?? [];
    this.requestId = problem.requestId;
    this.retryAfter = problem.retryAfter;
  }
}

/** Reads what is no 2xx. Whatever stands between may answer HTML: then the status has to do. */
export async function problemOfResponse(response: Response): Promise<ApiProblem> {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const common = { status: response.status, ...(Number.isFinite(retryAfter) ? { retryAfter } : {}) };
  const isProblem = response.headers.get('content-type')?.includes('json') ?? false;
  const body = isProblem ? ((await response.json().catch(() => undefined)) as Record<string, unknown> | undefined) : undefined;
  return new ApiProblem({
    ...common,
    code: textOf(body?.['code']) ?? 'unknown',
    title: textOf(body?.['title']) ?? `Answer ${response.status}`,
    detail: textOf(body?.['detail']) ?? `The gateway, or something before it, answered ${response.status} without saying why.`,
    errors: Array.isArray(body?.['errors']) ? (body['errors'] as FieldError[]) : [],
    requestId: textOf(body?.['request_id']),
  });
}

export function unreachable(): ApiProblem {
  return new ApiProblem({
    status: 0,
    code: 'unreachable',
    title: 'The gateway does not answer',
    detail: 'Nothing came back. It may be restarting, or the network may be down.',
  });
}

/** Whatever was thrown, as a problem that can be shown. */
export function problemOf(thrown: unknown): ApiProblem {
  if (thrown instanceof ApiProblem) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiProblem({ status: -1, code: 'ui_defect', title: 'A defect in the admin UI', detail });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
