import https from 'node:https';
import http from 'node:http';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.ts';
import { freePort } from '../../test/support/free-port.ts';
import type { Gateway, GatewaySetup } from '../gateways/gateway.ts';
import { type Answer, get, type Upstream } from '../upstream.ts';
import { processTree, residentKiB, threadTimes, type ThreadTimes } from './processor-time.ts';
import { type Program, temporaryDirectory } from './programs.ts';

/** A gateway that serves, ready to be measured. */
export class RunningGateway {
  readonly gateway: Gateway;
  readonly setup: GatewaySetup;
  readonly program: Program;
  /** What clients must send. */
  headers: Readonly<Record<string, string>> = {};

  constructor(gateway: Gateway, setup: GatewaySetup, program: Program) {
    this.gateway = gateway;
    this.setup = setup;
    this.program = program;
  }

  times(): ThreadTimes {
    return threadTimes(processTree(this.program.pid));
  }

  residentKiB(): number {
    return residentKiB(processTree(this.program.pid));
  }

  get(path: string): Promise<Answer> {
    return get(this.setup.port, path, 'GET', this.setup.tls === null ? http.request : https.request, this.headers);
  }
}

export type SetupWishes = Pick<GatewaySetup, 'cores' | 'workers' | 'routes'> &
  Partial<Pick<GatewaySetup, 'policy' | 'websocketPort'>> & { readonly tls: boolean };

/** Starts a gateway, fills it, and checks that it does the work that is asked of all. */
export async function startGateway(gateway: Gateway, upstream: Upstream, wishes: SetupWishes): Promise<RunningGateway> {
  const setup: GatewaySetup = {
    policy: 'none',
    websocketPort: 0,
    ...wishes,
    port: await freePort(),
    adminPort: await freePort(),
    upstreamPort: upstream.port,
    directory: temporaryDirectory(),
    tls: wishes.tls ? certificate() : null,
  };
  const running = new RunningGateway(gateway, setup, await gateway.start(setup));
  try {
    await answering(running, '/', () => true);
    running.headers = (await gateway.fill?.(setup)) ?? {};
    const echo = setup.routes === 0 ? '/echo' : '/r/0/x';
    await answering(running, echo, ({ status }) => status === 200);
    if (setup.routes === 0) checkEcho(gateway.name, await running.get(echo), setup);
  } catch (error) {
    const { errors } = running.program;
    await running.program.stop();
    throw new Error(`${gateway.name} does not serve: ${error instanceof Error ? error.message : String(error)}\n${errors}`, {
      cause: error,
    });
  }
  return running;
}

/** Waits until a request to `path` is answered as wanted. */
async function answering(running: RunningGateway, path: string, wanted: (answer: Answer) => boolean): Promise<void> {
  const { program } = running;
  let last = 'no answer';
  const asked = async (): Promise<boolean> => {
    if (program.hasEnded) return true;
    return await running.get(path).then(
      (answer) => {
        last = `${answer.status} ${answer.body.slice(0, 200)}`;
        return wanted(answer);
      },
      (error: unknown) => {
        last = String(error);
        return false;
      },
    );
  };
  await eventually(asked, () => `the wanted answer to ${path}; the last was: ${last}`, 30_000);
  if (program.hasEnded) throw new Error('the process has ended');
}

// The upstream's /echo answers the fields that it was sent, one on each line.
function checkEcho(name: string, { body, headers }: Answer, { port, tls }: GatewaySetup): void {
  const [forwardedFor, proto, host, id] = body.split('\n');
  const wrong = [
    forwardedFor === '127.0.0.1' ? '' : `X-Forwarded-For: ${forwardedFor}`,
    proto === (tls === null ? 'http' : 'https') ? '' : `X-Forwarded-Proto: ${proto}`,
    host === `127.0.0.1:${port}` ? '' : `X-Forwarded-Host: ${host}`,
    id !== undefined && id.length >= 16 ? '' : `X-Request-Id: ${id}`,
    headers['x-request-id'] === id ? '' : `X-Request-Id to the client: ${String(headers['x-request-id'])}`,
  ].filter((text) => text !== '');
  if (wrong.length > 0) throw new Error(`${name} does not do the same work as the others: ${wrong.join('; ')}`);
}

let made: { cert: string; key: string } | undefined;

/** The same for all: P-256, for 127.0.0.1. */
function certificate(): { cert: string; key: string } {
  if (made !== undefined) return made;
  const directory = temporaryDirectory();
  const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '30',
    '-subj',
    '/CN=bench',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  ];
  const { status, stderr } = spawnSync('openssl', [...args, '-keyout', files.key, '-out', files.cert], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
  made = files;
  return files;
}
