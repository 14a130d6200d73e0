import { ApiProblem, problemOfResponse, unreachable } from './api-problem.ts';
import { gatewayAnswered } from './session-state.ts';

export interface StreamEvent {
  readonly name: string;
  /** JSON, not read yet: whoever gets thousands a second reads those that it shows. */
  readonly data: string;
  /** '' where the event has none. */
  readonly id: string;
}

export interface ReadEventsOptions {
  readonly query: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** The last one that was read before, so that the gateway can send what was missed. */
  readonly lastEventId?: string | undefined;
  readonly onOpen: () => void;
  readonly onEvent: (event: StreamEvent) => void;
}

/**
 * Reads a stream of Server-Sent Events until it ends. Other than EventSource it says why there is none.
 * @throws ApiProblem also when the stream breaks off; the signal's reason after an abort
 */
export async function readEvents(path: string, options: ReadEventsOptions): Promise<void> {
  const { query, signal, lastEventId, onOpen, onEvent } = options;
  const headers: Record<string, string> = { Accept: 'text/event-stream' };
  if (lastEventId !== undefined) headers['Last-Event-ID'] = lastEventId;
  try {
    const response = await fetch(`${path}?${new URLSearchParams(query).toString()}`, {
      headers,
      signal,
      credentials: 'same-origin',
      cache: 'no-store',
    });
    gatewayAnswered();
    if (!response.ok || response.body === null) throw await problemOfResponse(response);
    onOpen();
    await readBody(response.body, onEvent);
  } catch (error) {
    if (signal.aborted || error instanceof ApiProblem) throw error;
    throw unreachable();
  }
}

async function readBody(body: ReadableStream<Uint8Array>, onEvent: (event: StreamEvent) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) readBlock(block, onEvent);
  }
}

/** The gateway writes each of its fields on one line, in this order: `event`, `id`, `data`; comments begin with a colon. */
function readBlock(block: string, onEvent: (event: StreamEvent) => void): void {
  let name = '';
  let id = '';
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) name = line.slice(7);
    else if (line.startsWith('id: ')) id = line.slice(4);
    else if (line.startsWith('data: ')) onEvent({ name, id, data: line.slice(6) });
  }
}
