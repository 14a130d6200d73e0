import { request } from 'node:http';
import { Readable } from 'node:stream';
import { localTokenHeader } from '../admin/admin-server.ts';
import type { ControlContext } from '../control/control-context.ts';
import { findLocalDoor } from '../control/local-door.ts';
import { GatewayError } from '../errors/gateway-error.ts';

/**
 * Asks the gateway that serves the database what only it can know. Rejects with a GatewayError that says what to do where there
 * is none, or none that can be reached from here. `body` is sent in place of the request's own.
 */
export async function askRunningGateway(control: ControlContext, asked: Request, body?: Uint8Array): Promise<Response> {
  const { socketPath, token } = await findLocalDoor(control);
  const { pathname, search } = new URL(asked.url);
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const headers = { ...Object.fromEntries(asked.headers), host: 'localhost', [localTokenHeader]: token };
  const sent = request({ socketPath, path: pathname + search, method: asked.method, headers, signal: asked.signal });
  sent.once('response', (answer) => {
    const fields = Object.entries(answer.headersDistinct).flatMap(([name, values]) =>
      (values ?? []).map((value): [string, string] => [name, value]),
    );
    resolve(new Response(Readable.toWeb(answer) as ReadableStream, { status: answer.statusCode ?? 0, headers: fields }));
  });
  sent.once('error', (error) => reject(asked.signal.aborted ? error : unreachable(error, socketPath)));
  sent.end(body);
  return promise;
}

function unreachable(cause: NodeJS.ErrnoException, socketPath: string): GatewayError {
  const why = cause.code === 'EACCES' ? `${socketPath} is another user's` : `${socketPath} cannot be reached: ${cause.message}`;
  return new GatewayError('no_gateway', {
    detail: `A gateway serves this database, but it cannot be asked from here (${why}). Run the command as the gateway's user, in its container, or with --server URL and APIGATE_TOKEN.`,
    cause,
  });
}
