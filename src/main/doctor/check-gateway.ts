import http from 'node:http';
import https from 'node:https';
import { broken, type DoctorFinding, fine, warning } from '../../model/doctor-finding.ts';
import type { ServingAddresses } from '../../control/serving-addresses.ts';
import type { Settings } from '../../settings/settings.ts';
import { portProblem, tryPort } from '../probe-port.ts';
import { urlOf } from '../url-of.ts';

const check = 'gateway';
const answerTime = 3_000;

/** What a gateway, or something that might be one, answers to /readyz. */
interface Readiness {
  /** 0 where no answer came. */
  readonly status: number;
  /** Whether it answers as APIGate does. */
  readonly isOurs: boolean;
  /** How far its clock is ahead of ours, milliseconds. */
  readonly ahead: number | null;
  readonly reason: string;
}

export interface GatewayFindings {
  readonly findings: readonly DoctorFinding[];
  /** How far the running gateway's clock is ahead of ours, milliseconds. */
  readonly ahead: number | null;
}

/** The gateway that serves the database: does it answer, and is it ready? */
export async function checkRunningGateway({ trafficUrl }: ServingAddresses): Promise<GatewayFindings> {
  const { status, ahead, reason } = await askReadiness(trafficUrl);
  return { findings: [runningFinding(trafficUrl, status, reason)], ahead };
}

function runningFinding(url: string, status: number, reason: string): DoctorFinding {
  if (status === 200) return fine(check, `it runs on ${url} and is ready`);
  if (status === 0)
    return broken(
      check,
      `it serves this database on ${url}, but does not answer there: ${reason}`,
      'see its log; restart it if it is stuck',
    );
  return warning(
    check,
    `it runs on ${url} but is not ready (${status} for /readyz)`,
    'it is starting or shutting down: look again in a moment, then see its log',
  );
}

/** Without a gateway: are the ports free that the settings name? */
export async function checkPorts(settings: Settings): Promise<GatewayFindings> {
  const { host } = settings.server;
  const wanted = [
    ...(settings.server.port === 0 ? [] : [{ host, port: settings.server.port, secure: false }]),
    ...(settings.tls === null ? [] : [{ host, port: settings.tls.port, secure: true }]),
    ...(settings.admin.listen === null ? [] : [{ ...settings.admin.listen, secure: false }]),
  ];
  const findings: DoctorFinding[] = [];
  for (const { host: at, port, secure } of wanted) findings.push(await portFinding(at, port, secure));
  return { findings, ahead: null };
}

async function portFinding(host: string, port: number, secure: boolean): Promise<DoctorFinding> {
  const name = `port ${port}`;
  try {
    await tryPort(host, port);
    return fine(name, 'it is free; no gateway runs on this database');
  } catch (thrown) {
    const error = thrown as NodeJS.ErrnoException;
    if (error.code !== 'EADDRINUSE')
      return broken(name, portProblem(error, host, port), 'choose another address or port, or give the process the right to it');
    const { isOurs } = await askReadiness(urlOf(host, port, secure));
    return broken(
      name,
      isOurs ? 'another APIGate gateway, on another database, has it' : 'another program has it',
      isOurs
        ? 'name its database with --database, or give this one another port with --port'
        : `stop that program, or choose another port; "ss -ltnp 'sport = :${port}'" shows which it is`,
    );
  }
}

function askReadiness(url: string): Promise<Readiness> {
  return new Promise((resolve) => {
    const none = (reason: string): void => resolve({ status: 0, isOurs: false, ahead: null, reason });
    // No secret is sent, and the certificate may well be for the public name only.
    const options = { timeout: answerTime, agent: false, rejectUnauthorized: false } as const;
    const request = (url.startsWith('https:') ? https : http).get(`${url}/readyz`, options, (response) => {
      const date = Date.parse(response.headers.date ?? '');
      const isOurs = response.headers['x-request-id'] !== undefined && (response.statusCode === 200 || response.statusCode === 503);
      resolve({ status: response.statusCode ?? 0, isOurs, ahead: Number.isNaN(date) ? null : date - Date.now(), reason: '' });
      response.destroy();
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${answerTime} ms`)));
    request.once('error', (error: NodeJS.ErrnoException) => none(error.code === 'ECONNREFUSED' ? 'connection refused' : error.message));
  });
}
