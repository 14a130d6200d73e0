import { servingAddresses } from '../control/serving-addresses.ts';
import { waitUntilServed } from '../control/follow-store.ts';
import type { CliOutput, LocalAdmin } from '../cli/cli-ports.ts';
import type { Settings } from '../settings/settings.ts';
import { localActor, openControlPlane, ownListenersOf } from './control-plane.ts';

/** A running gateway follows a change within half a second; the CLI waits a little longer before it warns. */
const servedTime = 2_000;

/** The admin app in this process, on the local database, for one CLI command. */
export async function openLocalAdmin(settings: Settings, stderr: CliOutput): Promise<LocalAdmin> {
  const note = (fields: object, message: string): void => void stderr.write(`${message}${reasonIn(fields)}\n`);
  const { store, control, app } = await openControlPlane({
    settings,
    create: false,
    publisher: null,
    viaToken: null,
    // A gateway that runs was perhaps started with other flags than these settings know.
    ownListeners: async (opened) => (await servingAddresses(opened))?.listeners ?? ownListenersOf(settings),
    logger: { info: () => {}, warn: note, error: note },
  });
  const trafficUrl = (await servingAddresses(store))?.trafficUrl;
  return {
    ...(trafficUrl === undefined ? {} : { trafficUrl }),
    fetch: async (request) => {
      const actor = localActor();
      return app.fetch(request, { remoteAddress: '127.0.0.1', scheme: 'http', requestId: actor.requestId, localActor: actor });
    },
    waitUntilServed: async (revision) => {
      if (!(await store.isServed())) return 'no-gateway';
      return (await waitUntilServed(control, revision, servedTime)) ? 'served' : 'timeout';
    },
    close: () => store.close(),
  };
}

function reasonIn(fields: object): string {
  const { err } = fields as { err?: unknown };
  return err instanceof Error ? `: ${err.message}` : '';
}
