import { parentPort } from 'node:worker_threads';
import type { UpstreamConfig } from '../../model/gateway-config.ts';
import type { ProbeResult, UpstreamTestRequest } from '../../model/upstream-test.ts';
import type { OwnListeners } from '../own-listener-at.ts';
import { probeUpstream, type ProbeOptions } from './probe-upstream.ts';

/** What a test needs, as it crosses from one thread to another. */
export interface ProbeMessage {
  readonly id: number;
  readonly options: Omit<ProbeOptions, 'ownListeners'> & { readonly ownListeners: OwnListeners['listeners'] };
  readonly config: UpstreamConfig;
  readonly request: UpstreamTestRequest;
}

export type ProbeReply =
  | { readonly id: number; readonly result: ProbeResult }
  | { readonly id: number; /** A defect of ours; its stack. */ readonly fault: string };

// A thread of its own for tests of upstreams: reading the system's trust store and parsing strangers' certificates would stall the
// control plane's.
parentPort?.on('message', ({ id, options, config, request }: ProbeMessage) => {
  const post = (reply: ProbeReply): void => parentPort?.postMessage(reply);
  probeUpstream({ ...options, ownListeners: () => options.ownListeners }, config, request).then(
    (result) => post({ id, result }),
    (error: unknown) => post({ id, fault: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
