import type { TestContext } from 'node:test';
import { eventually } from './eventually.ts';
import { type Gateway, type GatewayOptions, launchGateway, startGateway } from './start-gateway.ts';

/** A gateway that is killed when the test is over, should it still run. */
export async function scopedGateway(context: TestContext, options: GatewayOptions): Promise<Gateway> {
  const gateway = await startGateway(options);
  endAfter(context, gateway);
  return gateway;
}

/** What a gateway that does not start says to the person who starts it. */
export interface RefusedStart {
  readonly code: number | string;
  /** Standard error without what only warns. */
  readonly message: string;
  /** The port that it was to listen on. */
  readonly port: number;
}

/** Milliseconds; half a second on a machine with nothing else to do. */
export const refusalLimit = 20_000;

/** Starts a gateway that must refuse to run, at once and before it answers anything. */
export async function refusedStart(context: TestContext, options: GatewayOptions): Promise<RefusedStart> {
  const gateway = await launchGateway(options);
  endAfter(context, gateway);
  await eventually(
    () => gateway.exit !== undefined,
    () => `the end of a gateway that cannot run\n${gateway.output}`,
    refusalLimit,
  );
  return { code: gateway.exit!, message: gateway.stderr.replaceAll(/^Warning: .*\n/gm, ''), port: gateway.port };
}

function endAfter(context: TestContext, gateway: Gateway): void {
  context.after(async () => {
    gateway.process.kill('SIGKILL');
    await gateway.stop();
  });
}
