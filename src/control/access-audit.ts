import type { ActorKind, StoreWriter } from '../store/store.ts';
import type { Actor } from './control-context.ts';

/** An actor, or somebody who has not signed in. */
export type AuditedActor = Omit<Actor, 'kind'> & { readonly kind: ActorKind };

export interface AuditedAct {
  /** `admin.create`, `session.sign_in_failed`, … */
  readonly action: string;
  readonly type: 'admin' | 'token' | 'session' | 'secret_key';
  readonly id: string;
  readonly name: string;
  /** What changed; never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Writes the audit row of an act that is no part of the gateway config. */
export async function accessAudit(tx: StoreWriter, at: number, actor: AuditedActor, act: AuditedAct): Promise<void> {
  await tx.audit.append({
    at,
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_label: actor.label,
    remote_address: actor.remoteAddress ?? null,
    request_id: actor.requestId ?? null,
    action: act.action,
    resource_type: act.type,
    resource_id: act.id,
    resource_name: act.name,
    revision: null,
    detail: act.detail ?? {},
  });
}
