import { problemOfResponse, unreachable } from '../../api/api-problem.ts';
import { gatewayAnswered, gatewayIsSilent, signedInAgain } from '../../api/session-state.ts';

export interface Export {
  /** YAML. */
  readonly text: string;
  readonly warnings: readonly string[];
}

/**
 * The gateway config as YAML; `callApi` speaks JSON alone.
 * @throws ApiProblem
 */
export async function readExport(signal: AbortSignal): Promise<Export> {
  const response = await fetch('/admin/export', {
    headers: { Accept: 'application/yaml' },
    credentials: 'same-origin',
    cache: 'no-store',
    signal,
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    gatewayIsSilent();
    throw unreachable();
  });
  gatewayAnswered();
  if (response.status === 401) {
    await signedInAgain();
    return await readExport(signal);
  }
  if (!response.ok) throw await problemOfResponse(response);
  return { text: await response.text(), warnings: JSON.parse(response.headers.get('x-apigate-warnings') ?? '[]') as string[] };
}
