import type { Logger } from '../telemetry/logger.ts';

/** Exit code after a second signal: what was in flight is cut. */
const forcedExit = 130;
/** A terminal sends Ctrl-C to npm and to us, and npm passes it on to us: within this time, in milliseconds, it is the same one. */
const npmEcho = 250;

/**
 * Resolves at the first SIGTERM or SIGINT. A second one ends the process at once. SIGHUP does nothing: the gateway
 * follows its files by itself. Call it before anything starts; a start under way then is still finished.
 */
export function shutdownRequested(logger: Logger): Promise<void> {
  process.on('SIGHUP', () => logger.info({}, 'SIGHUP does nothing: certificate and credential files are followed as they change'));
  return new Promise((resolve) => {
    let asked: number | undefined;
    const ask = (signal: NodeJS.Signals): void => {
      if (asked !== undefined) {
        if (process.env['npm_lifecycle_event'] !== undefined && performance.now() - asked < npmEcho) return;
        process.exit(forcedExit);
      }
      asked = performance.now();
      logger.info({ signal }, 'stopping: requests in flight may finish; a second signal ends at once');
      resolve();
    };
    process.on('SIGTERM', ask);
    process.on('SIGINT', ask);
  });
}
