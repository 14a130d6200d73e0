import { isBetterLive, isLivePath } from '../admin/live-paths.ts';
import type { ControlContext } from '../control/control-context.ts';
import { servingAddresses } from '../control/serving-addresses.ts';
import { waitUntilServed } from '../control/follow-store.ts';
import type { CliOutput, LocalAdmin } from '../cli/cli-ports.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Settings } from '../settings/settings.ts';
import { askRunningGateway } from './ask-running-gateway.ts';
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
      const url = new URL(request.url);
      if (isLivePath(url.pathname)) return askRunningGateway(control, request);
      const actor = localActor();
      const bindings = { remoteAddress: '127.0.0.1', scheme: 'http', requestId: actor.requestId, localActor: actor } as const;
      if (!isBetterLive(request.method, url)) return app.fetch(request, bindings);
      const body = await request.bytes();
      const asked = await askIfItRuns(control, request, body);
      if (asked instanceof Response) return asked;
      const again = new Request(url, { method: 'POST', headers: request.headers, body });
      return app.fetch(again, { ...bindings, noGateway: asked });
    },
    waitUntilServed: async (revision) => {
      if (!(await store.isServed())) return 'no-gateway';
      return (await waitUntilServed(control, revision, servedTime)) ? 'served' : 'timeout';
    },
    close: () => store.close(),
  };
}

/** The running gateway's answer, or why there is none. */
async function askIfItRuns(control: ControlContext, request: Request, body: Uint8Array): Promise<Response | string> {
  try {
    const answer = await askRunningGateway(control, request, body);
    // As the local actor we may do everything that is there.
    if (answer.status !== 403 && answer.status !== 404) return answer;
    await answer.body?.cancel();
    return 'The gateway that runs on this database is of an older version, which cannot be asked this.';
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'no_gateway') return error.message;
    throw error;
  }
}

function reasonIn(fields: object): string {
  const { err } = fields as { err?: unknown };
  return err instanceof Error ? `: ${err.message}` : '';
}
