import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadCase } from '../cases.ts';
import type { Latency, OpenLoadOrders } from './open-load.ts';
import { output, type Program, start, temporaryDirectory } from './programs.ts';

/** Where a load goes and from which cores it comes. */
export interface LoadTarget {
  readonly port: number;
  readonly cores: string;
}

/** As many requests as the gateway takes, from wrk, until it is stopped or the seconds are over. */
export function closedLoad(target: LoadTarget, load: LoadCase, seconds: number): Program {
  return start('wrk', wrkArguments(target, load, seconds), { cores: target.cores });
}

/** A short closed load to its end; throws when an answer was not a 2xx, or a connection broke. */
export async function checkedLoad(target: LoadTarget, load: LoadCase, seconds: number): Promise<void> {
  const report = await output('wrk', wrkArguments(target, load, seconds), { cores: target.cores });
  const trouble = /Non-2xx.*|Socket errors.*/.exec(report)?.[0];
  if (trouble !== undefined) throw new Error(`the load met with errors: ${trouble.trim()}`);
}

function wrkArguments({ port }: LoadTarget, load: LoadCase, seconds: number): string[] {
  const url = `${load.tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  return ['-t1', `-c${load.connections}`, `-d${Math.ceil(seconds)}s`, '--timeout', '20s', '-s', script(load), url + load.paths[0]!];
}

/** In wrk's words: everything is made ready before, so that a request costs the generator nothing. */
function script(load: LoadCase): string {
  const file = join(temporaryDirectory(), 'load.lua');
  const headers = Object.entries(load.headers).map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}\n`);
  const body =
    load.bodyLength === 0
      ? ''
      : `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = string.rep("x", ${load.bodyLength})\n`;
  const turns = `
local paths = {${load.paths.map((path) => JSON.stringify(path)).join(',')}}
local requests = {}
local n = 0
init = function(args) for i, path in ipairs(paths) do requests[i] = wrk.format(nil, path) end end
request = function() n = n % #paths + 1; return requests[n] end
`;
  writeFileSync(file, headers.join('') + body + (load.paths.length === 1 ? '' : turns));
  return file;
}

/**
 * Requests on a random schedule, `rate` each second over all connections, whatever the gateway does with them. Times count from
 * the moment a request was due: a gateway that cannot keep up shows it.
 */
export async function openLoad({ port, cores }: LoadTarget, load: LoadCase, rate: number, seconds: number): Promise<Latency> {
  const { tls, connections } = load;
  const orders: OpenLoadOrders = {
    port,
    tls,
    connections,
    rate,
    seconds,
    warmUpSeconds: 2,
    requests: load.paths.map((path) => requestText(port, load, path)),
  };
  const file = join(temporaryDirectory(), 'orders.json');
  writeFileSync(file, JSON.stringify(orders));
  return JSON.parse(await output(process.execPath, [join(import.meta.dirname, 'open-load.ts'), file], { cores })) as Latency;
}

function requestText(port: number, { headers, bodyLength }: LoadCase, path: string): string {
  const fields = Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  const head = `${bodyLength === 0 ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${fields}`;
  return bodyLength === 0
    ? `${head}\r\n`
    : `${head}Content-Type: application/json\r\nContent-Length: ${bodyLength}\r\n\r\n${'x'.repeat(bodyLength)}`;
}
