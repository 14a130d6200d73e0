// Longer than 300 lines: the whole contract between the use cases and any database stands in one place.
import type { AdminId, ApiKeyId, ApiTokenId, RouteId, UpstreamId } from '../model/ids.ts';
import type { HeaderCondition, HostMatchType, PathMatchType, RouteCors, RouteProtocol } from '../model/route.ts';
import type { RequestTransform, ResponseTransform } from '../model/transformation.ts';
import type { AuthType } from '../model/upstream.ts';

/**
 * Where everything that outlives the process is kept. Every method may throw GatewayError
 * `storage_unavailable` (the database is locked for too long, full, damaged or gone; nothing was changed).
 *
 * Work runs inside `read` or `write` and must await nothing but the transaction's own methods: hash passwords
 * and read files before. Starting one of them inside of another is a programming error and throws.
 */
export interface Store {
  /** Runs reads on one consistent state. Never waits for a writer. */
  read<T>(work: (tx: StoreReader) => Promise<T>): Promise<T>;
  /** The same for what reads thousands of rows: `read` does not wait for it, only another one of its kind. */
  readMany<T>(work: (tx: StoreReader) => Promise<T>): Promise<T>;
  /**
   * Runs one transaction that no other writer, in this process or another, can come between. Kept on disk when
   * this resolves; nothing of it is when `work` throws, and its error comes out as it is. Waits up to 5 s for
   * another process's lock, without blocking the event loop, then `storage_unavailable` with `retryAfter`.
   */
  write<T>(work: (tx: StoreWriter) => Promise<T>): Promise<T>;
  /** A number that differs from the last answer when anything was committed since, by any process. Costs microseconds. */
  dataVersion(): Promise<number>;
  /**
   * Claims to be the one gateway that serves this database, until `close` or the end of the process, however it
   * ends. False when another one does.
   */
  claimServing(): Promise<boolean>;
  /** Whether a gateway, in whatever process, serves this database now. */
  isServed(): Promise<boolean>;
  close(): Promise<void>;
}

export interface StoreReader {
  /** The revision of the gateway config; 0 before the first change. */
  revision(): Promise<number>;
  readonly upstreams: ResourceReader<UpstreamRow, UpstreamId>;
  readonly routes: ResourceReader<RouteRow, RouteId> & {
    usingUpstream(id: UpstreamId): Promise<readonly RouteRow[]>;
  };
  readonly keys: ResourceReader<ApiKeyRow, ApiKeyId>;
  /** Upstreams, routes and keys removed after a revision and not there any more. */
  removedSince(revision: number): Promise<readonly (UpstreamId | RouteId | ApiKeyId)[]>;
  readonly admins: AdminReader;
  readonly sessions: SessionReader;
  readonly tokens: TokenReader;
  readonly audit: AuditReader;
  readonly history: HistoryReader;
  readonly sealed: SealedReader;
  readonly meta: MetaReader;
}

export interface StoreWriter extends StoreReader {
  /** Takes the next revision, once per transaction; rows put or removed in it are stamped with this number. */
  nextRevision(): Promise<number>;
  readonly upstreams: ResourceWriter<UpstreamRow, UpstreamId>;
  readonly routes: ResourceWriter<RouteRow, RouteId> & {
    usingUpstream(id: UpstreamId): Promise<readonly RouteRow[]>;
  };
  /** Forgets that resources were removed up to a revision; answers how many. For when nobody can be at an earlier one. */
  forgetRemoved(revision: number): Promise<number>;
  readonly keys: ResourceWriter<ApiKeyRow, ApiKeyId> & {
    /** Moves last_used_at forward, never back; unknown ids are passed over. Takes no revision. */
    recordUsage(usage: ReadonlyMap<ApiKeyId, number>): Promise<void>;
  };
  readonly admins: AdminWriter;
  readonly sessions: SessionWriter;
  readonly tokens: TokenWriter;
  readonly audit: AuditWriter;
  readonly history: HistoryWriter;
  readonly sealed: SealedWriter;
  readonly meta: MetaWriter;
}

// ---- the gateway config

export interface ListFilter {
  /** How many rows at most. */
  readonly limit: number;
  /** Only rows whose name sorts after this one. */
  readonly after?: string;
  /** Only rows whose name contains this, whatever the case. */
  readonly nameContains?: string;
  readonly enabled?: boolean;
}

export interface RowPage<Row> {
  /** In order of name (of e-mail address, for admins), by code point; audit rows newest first. */
  readonly rows: readonly Row[];
  /** Rows that the filter lets through, on all pages. */
  readonly total: number;
  readonly more: boolean;
}

export interface ResourceReader<Row, Id> {
  get(id: Id): Promise<Row | undefined>;
  byName(name: string): Promise<Row | undefined>;
  list(filter: ListFilter): Promise<RowPage<Row>>;
  /** Every row put after a revision; all rows for -1. In order of revision. */
  changedSince(revision: number): Promise<readonly Row[]>;
}

export interface ResourceWriter<Row, Id> extends ResourceReader<Row, Id> {
  /** Stores a new row or replaces the row of that id. A name that another row has: GatewayError `conflict`. */
  put(row: Row): Promise<void>;
  /**
   * Takes a row's name away, so that another row can be put under it before this one is put or removed, as it must be in the
   * same transaction.
   */
  vacateName(id: Id): Promise<void>;
  /** Removes a row and remembers `revision` as the one that it went with. */
  remove(id: Id, revision: number): Promise<void>;
}

/** All times in rows are milliseconds since the epoch. */
export interface UpstreamRow {
  readonly id: UpstreamId;
  /** The revision that this state of the row came with. */
  readonly revision: number;
  readonly name: string;
  readonly description: string;
  readonly base_url: string;
  readonly timeout_ms: number;
  readonly max_idle_conns: number;
  readonly idle_conn_timeout_ms: number;
  readonly max_conns: number;
  readonly auth_type: AuthType;
  readonly auth_header: string | null;
  /** Sealed text; null when the value is a reference or not set. */
  readonly auth_value_sealed: string | null;
  /** `${env.NAME}` or `${file:/path}`; null when the value is sealed or not set. */
  readonly auth_value_reference: string | null;
  readonly auth_value_updated_at: number | null;
  readonly preserve_host: boolean;
  readonly tls_ca: string | null;
  readonly tls_server_name: string | null;
  readonly health_check_path: string | null;
  readonly health_check_interval_ms: number;
  readonly health_check_timeout_ms: number;
  readonly health_check_status: string;
  readonly enabled: boolean;
  readonly managed: boolean;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface RouteRow {
  readonly id: RouteId;
  readonly revision: number;
  readonly name: string;
  readonly description: string;
  readonly host_pattern: string;
  readonly host_match_type: HostMatchType;
  readonly path_pattern: string;
  readonly match_type: PathMatchType;
  readonly methods: readonly string[];
  readonly headers: readonly HeaderCondition[];
  readonly upstream_id: UpstreamId;
  readonly protocol: RouteProtocol;
  readonly cors: RouteCors | null;
  readonly api_key_query: boolean;
  readonly path_rewrite: string | null;
  readonly method_override: string | null;
  readonly request_transform: RequestTransform | null;
  readonly response_transform: ResponseTransform | null;
  readonly auth_required: boolean;
  readonly priority: number;
  readonly enabled: boolean;
  readonly managed: boolean;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface ApiKeyRow {
  readonly id: ApiKeyId;
  readonly revision: number;
  readonly name: string;
  readonly prefix: string;
  /** SHA-256 of the key in hexadecimal. */
  readonly hash: string;
  /** Ids stay here when a route is deleted: an emptied list would open all routes. */
  readonly routes: readonly RouteId[];
  readonly rate_limit_per_minute: number | null;
  readonly expires_at: number | null;
  readonly last_used_at: number | null;
  readonly revoked_at: number | null;
  readonly created_at: number;
}

// ---- admins, sessions, API tokens

export interface AdminRow {
  readonly id: AdminId;
  /** Lower case; unique. */
  readonly email: string;
  readonly password_hash: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly last_sign_in_at: number | null;
}

export interface AdminReader {
  get(id: AdminId): Promise<AdminRow | undefined>;
  byEmail(email: string): Promise<AdminRow | undefined>;
  list(filter: Omit<ListFilter, 'enabled'>): Promise<RowPage<AdminRow>>;
  count(): Promise<number>;
}

export interface AdminWriter extends AdminReader {
  /** Stores a new admin or replaces the one of that id. An e-mail that another has: GatewayError `conflict`. */
  put(row: AdminRow): Promise<void>;
  /** Stores the admin if there is none at all; exactly one caller ever gets true. */
  putFirst(row: AdminRow): Promise<boolean>;
  /** Removes the admin and the sessions. False when there is no such admin. */
  remove(id: AdminId): Promise<boolean>;
}

export interface SessionRow {
  /** SHA-256 of the session id in hexadecimal; the id itself is not stored. */
  readonly id_hash: string;
  readonly admin_id: AdminId;
  readonly created_at: number;
  readonly last_seen_at: number;
  readonly expires_at: number;
  readonly remote_address: string;
  readonly user_agent: string;
}

export interface SessionReader {
  get(idHash: string): Promise<SessionRow | undefined>;
  /** Newest first. */
  ofAdmin(adminId: AdminId): Promise<readonly SessionRow[]>;
}

export interface SessionWriter extends SessionReader {
  put(row: SessionRow): Promise<void>;
  /** Moves last_seen_at; false when the session is gone. */
  touch(idHash: string, lastSeenAt: number): Promise<boolean>;
  remove(idHash: string): Promise<boolean>;
  /** Ends an admin's sessions, but for one; answers how many. */
  removeOfAdmin(adminId: AdminId, exceptIdHash?: string): Promise<number>;
  /** Forgets sessions that expired by `now` or were last seen before `idleSince`; answers how many. */
  removeExpired(now: number, idleSince: number): Promise<number>;
}

export type TokenScope = 'read' | 'write' | 'admin';

export interface TokenRow {
  readonly id: ApiTokenId;
  /** Unique. */
  readonly name: string;
  /** SHA-256 of the token in hexadecimal; unique. */
  readonly hash: string;
  /** The first characters of the token, to tell tokens apart. */
  readonly prefix: string;
  readonly scope: TokenScope;
  readonly expires_at: number | null;
  readonly last_used_at: number | null;
  readonly revoked_at: number | null;
  readonly created_at: number;
  /** Label of who made it. */
  readonly created_by: string;
}

export interface TokenReader {
  get(id: ApiTokenId): Promise<TokenRow | undefined>;
  byName(name: string): Promise<TokenRow | undefined>;
  byHash(hash: string): Promise<TokenRow | undefined>;
  list(filter: Omit<ListFilter, 'enabled'>): Promise<RowPage<TokenRow>>;
}

export interface TokenWriter extends TokenReader {
  /** Stores a new token or replaces the one of that id. A name that another has: GatewayError `conflict`. */
  put(row: TokenRow): Promise<void>;
  /** Moves last_used_at forward, never back. */
  touch(id: ApiTokenId, lastUsedAt: number): Promise<void>;
  remove(id: ApiTokenId): Promise<boolean>;
}

// ---- the audit log

export type ActorKind = 'admin' | 'token' | 'cli' | 'system' | 'anonymous';

export interface AuditEntry {
  readonly at: number;
  readonly actor_kind: ActorKind;
  /** Admin or token id; empty for the CLI, the system and callers not signed in. */
  readonly actor_id: string;
  readonly actor_label: string;
  readonly remote_address: string | null;
  readonly request_id: string | null;
  /** `upstream.create`, `session.sign_in`, `session.sign_in_failed`, … */
  readonly action: string;
  /** `upstream`, `route`, `key`, `admin`, `token`, `session`, … */
  readonly resource_type: string;
  readonly resource_id: string;
  readonly resource_name: string;
  /** The gateway config's revision that the change made; null for what is no part of it. */
  readonly revision: number | null;
  /** What changed; never a secret. Stored as JSON. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** `id` grows with time. */
export interface AuditRow extends AuditEntry {
  readonly id: number;
}

export interface AuditFilter {
  readonly limit: number;
  /** Only rows older than this id. */
  readonly before?: number;
  /** A whole action, or its first part: `upstream` for `upstream.create`, `upstream.update`, … */
  readonly action?: string;
  /** Id or label of the actor, or the kind of actor. */
  readonly actor?: string;
  /** Id or name of the resource, or its type. */
  readonly resource?: string;
  /** Only rows from this time on. */
  readonly since?: number;
  /** Only rows before this time. */
  readonly until?: number;
}

export interface AuditReader {
  /** What belongs to a revision, in the order in which it was done; at most so many. */
  ofRevision(revision: number, limit: number): Promise<readonly AuditRow[]>;
  /** Newest first. */
  list(filter: AuditFilter): Promise<RowPage<AuditRow>>;
}

export interface AuditWriter extends AuditReader {
  append(entry: AuditEntry): Promise<void>;
  /** Forgets rows from before a time, at most so many; answers how many. */
  removeBefore(at: number, limit: number): Promise<number>;
}

// ---- what is sealed, whatever it belongs to: for the rotation of the secret key

export interface SealedValue {
  /** Table, id and field that it is sealed for. */
  readonly table: string;
  readonly id: string;
  readonly field: string;
  readonly sealed: string;
  /** Where it lies: the present value, or one that the history remembers. */
  readonly holder: string;
  /** Tells the rows of the holder apart. */
  readonly key: string | number;
}

export interface SealedReader {
  /** Values that are not sealed with this key, always in the same order, after a given one. */
  notUnder(keyId: string, limit: number, after?: SealedValue): Promise<readonly SealedValue[]>;
  all(): Promise<readonly SealedValue[]>;
}

export interface SealedWriter extends SealedReader {
  /** Puts another sealed text in place of the one given; false when that is not there any more. Takes no revision. */
  replace(value: SealedValue, sealed: string): Promise<boolean>;
}

// ---- the history of the gateway config: every row that is put or removed is remembered with its revision

/** What is remembered of an API key: not what it is recognised by, nor when it was used. */
export type RememberedKeyRow = Omit<ApiKeyRow, 'hash' | 'last_used_at'>;

/** A gateway config as it was. Fields that were made later have their defaults. */
export interface ConfigRows {
  /** `auth_value_sealed` as it lies in the history, which a rotation of the secret key seals anew. */
  readonly upstreams: readonly UpstreamRow[];
  readonly routes: readonly RouteRow[];
  readonly keys: readonly RememberedKeyRow[];
}

export interface RevisionFilter {
  /** Id or label of the actor, or the kind of actor. */
  readonly actor?: string;
  /** Id or name of a resource, or its type. */
  readonly resource?: string;
}

export interface RevisionRow {
  readonly revision: number;
  /** How many rows of the audit log have which action. */
  readonly actions: ReadonlyMap<string, number>;
}

export interface HistoryReader {
  /** The oldest revision that is remembered; with its successors, up to the present one, the history has no gap. */
  from(): Promise<number>;
  /** The gateway config of a revision, which must not lie before `from`. */
  at(revision: number): Promise<ConfigRows>;
  /** Remembered revisions that the audit log knows of, newest first; `before` is a revision. */
  revisions(filter: RevisionFilter & { readonly limit: number; readonly before?: number }): Promise<RowPage<RevisionRow>>;
}

export interface HistoryWriter extends HistoryReader {
  /**
   * Forgets revisions that lie further back than `revisions`, or that more than `rows` rows have been remembered after; never
   * the one before the present. Does a bounded part of the work, for about `atMost` rows; answers how many it removed.
   */
  prune(keep: { readonly revisions: number; readonly rows: number; readonly atMost: number }): Promise<number>;
}

// ---- meta: single values, such as the hash of the one-time set-up code or the id of the secret key

export interface MetaReader {
  get(key: string): Promise<string | undefined>;
}

export interface MetaWriter extends MetaReader {
  set(key: string, value: string): Promise<void>;
  remove(key: string): Promise<boolean>;
}
