import type { ApiKeyId } from '../model/ids.ts';
import type { GatewayConfigChange } from '../model/gateway-config.ts';
import type { SharedCounters } from '../telemetry/shared-counters.ts';
import type { SlotAssignments } from '../telemetry/shared-slots.ts';

/** Where a worker listens for clients. */
export interface WorkerListener {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsIdentity | null;
}

/** Contents of the certificate and key files, PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** What an HTTPS listener serves with. */
export interface TlsIdentity extends TlsFiles {
  /** 48 bytes that session tickets are sealed with, the same in all workers: a client resumes on whichever it comes to. A secret. */
  readonly ticketKeys: Uint8Array;
}

/** What a worker is born with; the gateway config follows as the first change. */
export interface WorkerBirth {
  readonly index: number;
  readonly workers: number;
  readonly listeners: readonly WorkerListener[];
  readonly reusePort: boolean;
  readonly counters: SharedCounters;
  /** 8 hexadecimal digits that tell this gateway process from others, in Via. */
  readonly instance: string;
  /** The control plane's socket and the proof that we may use it; null where it has a listener of its own. */
  readonly admin: { readonly socketPath: string; readonly workerToken: string } | null;
  /** Address and port of the control plane's own listener, never to be dialled. */
  readonly adminListener: { readonly host: string; readonly port: number } | null;
  readonly trustedProxies: readonly string[];
  readonly dnsServers: readonly string[];
  readonly maxConnections: number;
  readonly maxBody: number;
  readonly maxHead: number;
  readonly maxFields: number;
  readonly maxTarget: number;
  /** 0 for no limit. */
  readonly websocketIdleMs: number;
  /** Bytes of a body that is transformed. */
  readonly transformBodyLimit: number;
  /** Variables of the environment that transformations may read, with their values at the start of the process. */
  readonly transformEnvironment: Readonly<Record<string, string>>;
  readonly logFormat: 'json' | 'text';
  /** Whether requests get access-log lines, and whether those do that failed by another's fault than the client's. */
  readonly logRequests: boolean;
  readonly logFailures: boolean;
}

/** Our own member of Via: a request that carries it has been here before. */
export function viaTokenOf({ instance }: Pick<WorkerBirth, 'instance'>): string {
  return `apigate-${instance}`;
}

/** A change with the shared memory that its new upstreams and keys count in. */
export interface ChangeMessage {
  readonly type: 'change';
  /** Counts the messages of this process: a revision can be sent twice, as when a credential's file changes. */
  readonly sequence: number;
  readonly change: GatewayConfigChange;
  readonly poolSlots: SlotAssignments;
  readonly rateSlots: SlotAssignments;
}

export type ToWorker =
  | ChangeMessage
  | { readonly type: 'certificate'; readonly tls: TlsIdentity }
  /** Not ready any more, but still serving: so that probes can see it. */
  | { readonly type: 'leaving' }
  | { readonly type: 'drain'; readonly deadlineMs: number };

export type FromWorker =
  /** Listens and has its first gateway config. */
  | { readonly type: 'ready' }
  | { readonly type: 'applied'; readonly sequence: number }
  /** Whole lines of the access log. */
  | { readonly type: 'lines'; readonly lines: Uint8Array }
  | {
      readonly type: 'log';
      readonly level: 'error' | 'warn' | 'info';
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    }
  /** Keys that were used, with the time of the last use in milliseconds since the epoch. */
  | { readonly type: 'keys-used'; readonly keys: readonly (readonly [ApiKeyId, number])[] }
  | { readonly type: 'drained' };
