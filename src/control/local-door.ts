import { GatewayError } from '../errors/gateway-error.ts';
import type { Sealer } from '../secrets/sealer.ts';
import type { StoreWriter } from '../store/store.ts';
import type { ControlContext } from './control-context.ts';

/**
 * Where a gateway answers commands on its own machine what only it can know: a Unix socket and the token that opens it. The
 * token is new at each start and stored sealed, so that it takes the database and its key to use it: the same authority that
 * such commands have over everything else.
 */
export interface LocalDoor {
  readonly socketPath: string;
  readonly token: string;
}

const entry = 'local_door';
const place = { table: 'meta', id: entry, field: 'token' };

export async function recordLocalDoor({ store, sealer }: ControlContext, { socketPath, token }: LocalDoor): Promise<void> {
  const text = JSON.stringify({ socketPath, token: sealer.seal(place, token) });
  await store.write((tx) => tx.meta.set(entry, text));
}

/** For a rotation of the secret key: the door of a gateway that goes on running stays open under the new key. */
export async function resealLocalDoor(tx: StoreWriter, sealer: Sealer): Promise<void> {
  const text = await tx.meta.get(entry);
  if (text === undefined) return;
  const door = JSON.parse(text) as LocalDoor;
  const opened = sealer.open(place, door.token);
  if (opened.ok) await tx.meta.set(entry, JSON.stringify({ ...door, token: sealer.seal(place, opened.value) }));
}

/**
 * The door of the gateway that serves this database.
 * @throws GatewayError `no_gateway` when none runs, or it left no door that this process could use
 */
export async function findLocalDoor({ store, sealer }: ControlContext): Promise<LocalDoor> {
  if (!(await store.isServed())) throw new GatewayError('no_gateway');
  const text = await store.read((tx) => tx.meta.get(entry));
  if (text === undefined) throw new GatewayError('no_gateway', { detail: 'The gateway of this database is of an older version.' });
  const { socketPath, token } = JSON.parse(text) as LocalDoor;
  const opened = sealer.open(place, token);
  if (!opened.ok) {
    throw new GatewayError('no_gateway', {
      detail: `The gateway of this database cannot be asked: the token that it left: ${opened.reason}. Restart it, or use --server URL and APIGATE_TOKEN.`,
    });
  }
  return { socketPath, token: opened.value };
}
