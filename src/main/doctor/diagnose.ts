import { type DoctorFinding, fine, skipped } from '../../model/doctor-finding.ts';
import { testUpstreams } from '../../cli/doctor-upstreams.ts';
import { servingAddresses } from '../../control/serving-addresses.ts';
import { testSavedUpstream } from '../../control/test-upstream.ts';
import { GatewayError } from '../../errors/gateway-error.ts';
import type { Settings } from '../../settings/settings.ts';
import { openControlPlane, ownListenersOf, type ControlPlane } from '../control-plane.ts';
import { checkDatabase, checkKeyAlone, checkTlsFiles, keyProblem } from './check-files.ts';
import { checkPorts, checkRunningGateway, type GatewayFindings } from './check-gateway.ts';
import { checkClock, checkDisk, checkNode, checkOpenFiles, checkTrust } from './check-process.ts';

/**
 * Looks at everything that a gateway with these settings needs, and tells of each thing as soon as it knows. Changes and makes
 * nothing: the database is opened for reading only. Without settings (they could not be read) it looks at the machine alone.
 */
export async function* diagnose(
  settings: Settings | null,
  env: Readonly<Record<string, string | undefined>>,
): AsyncGenerator<DoctorFinding> {
  yield checkNode(process.versions.node);
  yield* checkTrust(env);
  if (settings === null) {
    yield checkClock(Date.now(), null, null);
    yield skipped(
      'the rest',
      'database, keys, ports and upstreams were not looked at, because the settings are wrong',
      'mend the settings first',
    );
    return;
  }
  yield checkOpenFiles(settings.limits.maxConnections);
  yield checkDisk(settings.database.path);
  if (settings.tls !== null) yield* checkTlsFiles(settings.tls, Date.now());
  const { findings, database, isUsable } = await checkDatabase(settings.database.path);
  yield* findings;
  const opened = isUsable ? await openToLook(settings) : undefined;
  yield* keyFindings(settings, opened);
  const plane = opened === undefined || 'problem' in opened ? undefined : opened.plane;
  try {
    const gateway = await gatewayFindings(settings, plane, database?.isServed ?? false);
    yield* gateway.findings;
    yield checkClock(Date.now(), database?.newestChange ?? null, gateway.ahead === null ? null : Date.now() + gateway.ahead);
    if (plane !== undefined) yield* upstreamFindings(plane);
    else if (database !== undefined || opened !== undefined || findings.some(({ result }) => result === 'broken'))
      yield skipped('upstreams', 'they were not tested, as the database cannot be used like this');
  } finally {
    await plane?.store.close();
  }
}

type Opened = { readonly plane: ControlPlane } | { readonly problem: string; readonly isKey: boolean };

async function openToLook(settings: Settings): Promise<Opened> {
  try {
    const plane = await openControlPlane({
      settings,
      create: false,
      readOnly: true,
      publisher: null,
      viaToken: null,
      ownListeners: async (store) => (await servingAddresses(store))?.listeners ?? ownListenersOf(settings),
      logger: { info: () => {}, warn: () => {}, error: () => {} },
    });
    return { plane };
  } catch (error) {
    const isKey = error instanceof GatewayError && error.code === 'wrong_secret_key';
    return { problem: error instanceof Error ? error.message : String(error), isKey };
  }
}

function* keyFindings(settings: Settings, opened: Opened | undefined): Generator<DoctorFinding> {
  if (opened === undefined) {
    const alone = checkKeyAlone(settings);
    if (alone !== undefined) yield alone;
  } else if ('plane' in opened) {
    yield fine('secret key', 'it fits the database');
  } else if (opened.isKey) {
    yield keyProblem(opened.problem);
  } else {
    yield {
      check: 'database',
      result: 'broken',
      found: opened.problem,
      mend: 'see the message; the gateway would not start with it either',
    };
  }
}

async function gatewayFindings(settings: Settings, plane: ControlPlane | undefined, isServed: boolean): Promise<GatewayFindings> {
  const addresses = plane === undefined ? undefined : await servingAddresses(plane.store);
  if (addresses !== undefined) return await checkRunningGateway(addresses);
  if (isServed) return { findings: [fine('gateway', 'one runs on this database; where it listens cannot be read')], ahead: null };
  return await checkPorts(settings);
}

async function* upstreamFindings({ store, control }: ControlPlane): AsyncGenerator<DoctorFinding> {
  const rows = await store.read((tx) => tx.upstreams.changedSince(-1));
  const enabled = rows.filter((row) => row.enabled);
  if (rows.length === 0) yield fine('upstreams', 'there are none yet; make one with "apigate upstreams create"');
  const left = rows.length - enabled.length;
  if (left > 0) yield skipped('upstreams', left === 1 ? '1 is disabled and was not tested' : `${left} are disabled and were not tested`);
  yield* testUpstreams(enabled, ({ id }, waitMs) => testSavedUpstream(control, id, { wait_ms: waitMs }));
}
