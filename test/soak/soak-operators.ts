import http from 'node:http';
import type { Random } from '../fuzz/random.ts';
import { AdminSession } from '../support/admin-session.ts';
import type { AdminAnswer } from '../support/admin-client.ts';
import { adminEmail, adminPassword } from '../support/start-gateway.ts';
import { births, strike } from '../support/thread-faults.ts';
import { eventually } from '../support/eventually.ts';
import { pause } from './soak-actors.ts';
import { chooseChange, type DynamicConfig, routeState } from './dynamic-config.ts';
import { SoakClient } from './soak-client.ts';
import { type SoakWorld, workerCount } from './soak-world.ts';

/** Those who change the gateway, watch it, and do it harm; each until it is time to rest. */
export const operators: readonly { readonly name: string; act(world: SoakWorld, random: Random): Promise<void> }[] = [
  { name: 'changes', act: changeConfig },
  { name: 'keys', act: changeKeys },
  { name: 'sign-ins', act: signIn },
  { name: 'reads', act: readAdmin },
  { name: 'tails', act: tail },
  { name: 'tails', act: tail },
  { name: 'faults', act: doHarm },
];

const revisions = new Map<number, DynamicConfig>();

/** A call whose answer may fail to come only where a worker was killed; undefined then. */
async function call(world: SoakWorld, admin: AdminSession, method: string, path: string, body?: unknown): Promise<AdminAnswer | undefined> {
  const workers = world.workers.open();
  const running = world.running.open();
  const machine = world.machine.open();
  const began = performance.now();
  try {
    const answer = await admin.call(method, path, body === undefined ? {} : { body });
    const ms = performance.now() - began;
    if (!running.states.has('stopped') && !workers.states.has('dying') && !machine.states.has('late')) {
      world.figures.latency(method === 'GET' ? 'admin read' : 'admin change', ms);
      if (ms > 10_000) world.findings.add('I5 a slow answer of the admin API', `${method} ${path}: ${Math.round(ms)} ms`);
    }
    world.lookForSecrets(JSON.stringify([answer.headers, { ...answer.body, key: '', token: '' }]), `the answer to ${method} ${path}`);
    return answer;
  } catch (error) {
    if (!workers.states.has('dying')) world.findings.add('a call of the admin API failed', `${method} ${path}: ${String(error)}`);
    return undefined;
  } finally {
    workers.close();
    running.close();
    machine.close();
  }
}

async function changeConfig(world: SoakWorld, random: Random): Promise<void> {
  await world.alone(async () => {
    const change = chooseChange(random, world.dynamic, {
      names: world.dynamicNames,
      servers: new Map(['one', 'two', 'plain'].map((name) => [name, world.servers.get(name)!.url])),
      secretOf: (name, generation) => world.secretOf(name, generation),
      nextGeneration: () => world.nextGeneration(),
      revisions,
    });
    for (const name of world.dynamicNames) world.routes.get(name)!.begin(routeState(change.next, name));
    const answer = await call(world, world.admin, change.method, change.path, change.body);
    const done = answer !== undefined && answer.status >= 200 && answer.status <= 299;
    world.figures.count('changes', change.what);
    if (change.status === undefined ? !done : answer?.status !== change.status)
      world.findings.add('a change', `${change.what}, ${change.method} ${change.path}: ${answer?.status} ${JSON.stringify(answer?.body)}`);
    if (done) world.dynamic = change.next;
    for (const name of world.dynamicNames) world.routes.get(name)!.settle(routeState(world.dynamic, name));
    const revision = Number(answer?.headers['x-apigate-revision']);
    if (done && revision > 0) revisions.set(revision, world.dynamic);
    if (revisions.size > 200) revisions.delete(revisions.keys().next().value!);
  });
  await pause(world, 150 + random.below(700));
}

/** A key lives: it opens, is revoked, is deleted, and each takes effect with its answer. */
async function changeKeys(world: SoakWorld, random: Random): Promise<void> {
  const made = await world.alone(() => call(world, world.admin, 'POST', '/keys', { name: `k${random.below(1e12)}`, routes: ['keyed'] }));
  const { id, key } = (made?.body ?? {}) as { id?: string; key?: string };
  if (id === undefined || key === undefined) return;
  world.figures.count('changes', 'create a key');
  world.secrets.push(key);
  const use = async (refusal: string | undefined): Promise<void> => {
    const client = await SoakClient.connect(world);
    if (client === undefined) return;
    await client.exchange({
      route: 'keyed',
      method: 'GET',
      behaviour: 'length',
      fields: `X-API-Key: ${key}\r\n`,
      expected: () => (refusal === undefined ? {} : { refused: true, refusals: [refusal] }),
    });
    client.end();
  };
  await use(undefined);
  const revoked = await world.alone(() => call(world, world.admin, 'POST', `/keys/${id}/revoke`, {}));
  if (revoked?.status !== 200) world.findings.add('a change', `revoking a key: ${revoked?.status} ${JSON.stringify(revoked?.body)}`);
  world.figures.count('changes', 'revoke a key');
  await use('key_revoked');
  const deleted = await world.alone(() => call(world, world.admin, 'DELETE', `/keys/${id}`));
  if (deleted?.status !== 204) world.findings.add('a change', `deleting a key: ${deleted?.status} ${JSON.stringify(deleted?.body)}`);
  world.figures.count('changes', 'delete a key');
  await use('invalid_api_key');
  world.secrets.splice(world.secrets.indexOf(key), 1);
  await pause(world, 1_000 + random.below(3_000));
}

async function signIn(world: SoakWorld, random: Random): Promise<void> {
  const anybody = new AdminSession(world.gateway, {});
  const answer = await call(world, anybody, 'POST', '/login', { email: adminEmail, password: adminPassword });
  const cookie = answer?.headers['set-cookie']?.[0]?.split(';')[0];
  world.figures.count('sign-ins', String(answer?.status ?? 'lost with its worker'));
  if (answer !== undefined && (answer.status !== 200 || cookie === undefined) && answer.status !== 429)
    world.findings.add('a sign-in', `${answer.status} ${JSON.stringify(answer.body)}`);
  if (cookie !== undefined) {
    const session = new AdminSession(world.gateway, { cookie });
    const statusOf = async (method: string, path: string): Promise<number | undefined> =>
      (await call(world, session, method, path))?.status;
    const seen = [
      await statusOf('GET', '/me'),
      random.chance(0.8) ? await statusOf('POST', '/logout') : 'kept',
      await statusOf('GET', '/me'),
    ];
    const wanted = [200, seen[1] === 'kept' ? 'kept' : 204, seen[1] === 'kept' ? 200 : 401];
    if (seen.some((status, index) => status !== undefined && status !== wanted[index]) && !seen.includes(undefined))
      world.findings.add('a session', `${seen.join(', ')} and not ${wanted.join(', ')}`);
  }
  const wrong = await call(world, anybody, 'POST', '/login', { email: `x${random.below(1e9)}@soak.test`, password: 'a wrong password' });
  world.figures.count('sign-ins', `${wrong?.status ?? 'lost with its worker,'} where it is wrong`);
  if (wrong !== undefined && wrong.status !== 401 && wrong.status !== 429) world.findings.add('a wrong sign-in', String(wrong.status));
  await pause(world, 2_000 + random.below(2_000));
}

const reads = [
  '/upstreams',
  '/routes?limit=5',
  '/keys',
  '/requests?limit=50',
  '/history',
  '/history/diff?from=1',
  '/health',
  '/events',
  '/audit',
  '/export',
  '/admins',
];

async function readAdmin(world: SoakWorld, random: Random): Promise<void> {
  const path = random.pick(reads);
  const answer = await call(world, world.admin, 'GET', path);
  world.figures.count('admin reads', `${answer?.status ?? 'lost with its worker'}`);
  // Of very old revisions nothing is kept.
  if (answer !== undefined && answer.status !== 200 && answer.status !== 410)
    world.findings.add('a read of the admin API', `${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  await pause(world, 100 + random.below(500));
}

/** Attaches to the requests as they end, and lets go again. */
async function tail(world: SoakWorld, random: Random): Promise<void> {
  const workers = world.workers.open();
  let text = '';
  let status = 0;
  const left = { byUs: false };
  await new Promise<void>((resolve) => {
    const request = http.get(
      {
        host: '127.0.0.1',
        port: world.gateway.port,
        path: `/admin/requests/stream${random.pick(['', '?failed=true', '?status=5xx', '?own=true'])}`,
        headers: { authorization: `Bearer ${world.secrets[0]}` },
        agent: false,
      },
      (response) => {
        status = response.statusCode ?? 0;
        response.setEncoding('utf8').on('data', (piece: string) => (text += text.length < 1_000_000 ? piece : ''));
        response.once('close', resolve).once('error', resolve);
      },
    );
    request.once('error', () => resolve());
    const leave = async (): Promise<void> => {
      await pause(world, 500 + random.below(8_000));
      left.byUs = true;
      request.destroy();
    };
    void leave();
  });
  workers.close();
  world.figures.count('tails', status === 0 ? 'no answer' : String(status));
  world.lookForSecrets(text, 'the stream of requests');
  if (!workers.states.has('dying') && status !== 200 && !(status === 0 && left.byUs))
    world.findings.add('a tail', `${status} ${text.slice(0, 300)}`);
  if (/^event: dropped$/m.test(text)) world.figures.count('tails', 'told of requests that it dropped');
  await pause(world, random.below(2_000));
}

/** What befalls a gateway: upstreams that restart, a machine that stands still, a worker that dies. */
async function doHarm(world: SoakWorld, random: Random): Promise<void> {
  await pause(world, 2_500 + random.below(4_000));
  if (world.resting) return;
  const dice = random.fraction();
  if (dice < 0.5) {
    world.figures.count('faults', 'an upstream restarted');
    await world.restartServer('restarting', random.below(800));
  } else if (dice < 0.8) {
    world.figures.count('faults', 'the process stopped and went on');
    world.running.begin('stopped');
    process.kill(world.gateway.pid, 'SIGSTOP');
    try {
      await new Promise((resolve) => setTimeout(resolve, 200 + random.below(1_300)));
    } finally {
      process.kill(world.gateway.pid, 'SIGCONT');
    }
    // It has to catch up.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    world.running.settle('running');
  } else await world.alone(() => killWorker(world, random.below(workerCount)));
}

async function killWorker(world: SoakWorld, index: number): Promise<void> {
  const before = births(world.gateway, index);
  world.workers.begin('dying');
  // Records of what was answered before are told by then.
  await new Promise((resolve) => setTimeout(resolve, 500));
  world.figures.count('faults', 'a worker died');
  await strike(world.gateway, index, 'throw');
  await eventually(() => births(world.gateway, index) > before, `a new worker ${index}`, 30_000);
  await eventually(async () => await allServe(world), 'service by every worker', 30_000);
  world.workers.settle('whole');
}

async function allServe(world: SoakWorld): Promise<boolean> {
  const statuses = await Promise.all(Array.from({ length: 16 }, () => world.gateway.status('/healthz')));
  return statuses.every((status) => status === 200);
}
