import type { Settings } from '../../settings/settings.ts';
import { SettingsError } from '../../settings/settings-error.ts';
import { CliCommand } from '../cli-command.ts';
import { exitCodes, usageError } from '../cli-error.ts';
import { runs, settingsFor, type CommandCall, type CommandHost } from '../command-call.ts';
import { broken, type DoctorFinding, fine, warning } from '../../model/doctor-finding.ts';
import { diagnoseRemote } from '../doctor-remote.ts';
import { formatFinding } from '../output/format-finding.ts';
import { addExamples } from '../resource-commands.ts';
import { addSettingsFlags, settingsFlagsGiven } from '../settings-flags.ts';

/** `apigate doctor` */
export function doctorCommand(host: CommandHost): CliCommand {
  const command = new CliCommand('doctor');
  addSettingsFlags(command);
  command.globals = ['--output', '--server', '--token-file', '--config', '--database', '--no-color'];
  addExamples(command, [
    'apigate doctor',
    'apigate doctor --config /etc/apigate/apigate.yaml',
    'apigate doctor --server https://gateway.example.com',
    'apigate doctor -o json',
  ]);
  command.addHelpText(
    'after',
    '\nGive it the flags and the environment that the gateway is started with. It changes nothing, and works whether a gateway runs or not.\nExit codes: 0 all is well, or there are only warnings; 1 something is broken.',
  );
  return runs(command, host, async (call) => {
    const findings: DoctorFinding[] = [];
    for await (const finding of findingsOf(call, command)) {
      findings.push(finding);
      // At once: tests of upstreams take their time.
      if (call.print.format === 'table') call.print.data(formatFinding(finding, call.print.style));
    }
    if (call.print.format === 'table') call.print.note(`\n${verdict(findings)}`);
    else
      await call.print.list(
        findings.map((finding) => ({ ...finding })),
        () => Promise.resolve([]),
        'check',
      );
    return findings.some(({ result }) => result === 'broken') ? exitCodes.failure : exitCodes.ok;
  });
}

async function* findingsOf(call: CommandCall, command: CliCommand): AsyncGenerator<DoctorFinding> {
  const { globals, ports } = call;
  const isLocal = globals.database !== undefined || globals.config !== undefined;
  if (globals.server !== undefined || (!isLocal && (ports.env['APIGATE_SERVER'] ?? '') !== '')) {
    const given = Object.entries(settingsFlagsGiven(command)).find(([, value]) => value !== undefined);
    if (given !== undefined && globals.server !== undefined)
      throw usageError(`--server and --${given[0]} exclude each other`, "the gateway's settings cannot be looked at from elsewhere");
    yield* diagnoseRemote(await call.admin(), ports.version);
    return;
  }
  let settings: Settings | null = null;
  try {
    settings = settingsFor(ports, settingsFlagsGiven(command));
    for (const text of settings.warnings) yield warning('settings', text, 'see docs/settings.md');
    yield fine('settings', sourcesOf(settings));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    for (const { key, source, message, suggestion } of error.problems)
      yield broken('settings', `${key} (${source}): ${message}`, suggestion ?? 'see docs/settings.md');
  }
  yield* ports.diagnose(settings);
}

/** Where the values came from: `3 from the environment, 1 from /etc/apigate.yaml, the others are defaults`. */
function sourcesOf({ origins }: Settings): string {
  const counts = new Map<string, number>();
  for (const origin of Object.values(origins)) {
    const source = { default: '', flag: 'flags', environment: 'the environment', file: origin.kind === 'file' ? origin.path : '' }[
      origin.kind
    ];
    if (source !== '') counts.set(source, (counts.get(source) ?? 0) + 1);
  }
  if (counts.size === 0) return 'all are defaults';
  return `${[...counts].map(([source, count]) => `${count} from ${source}`).join(', ')}, the others are defaults`;
}

function verdict(findings: readonly DoctorFinding[]): string {
  const count = (result: DoctorFinding['result']): number => findings.filter((finding) => finding.result === result).length;
  const [isBroken, isDoubtful] = [count('broken'), count('warning')];
  const doubts = `${isDoubtful} ${isDoubtful === 1 ? 'warning' : 'warnings'}`;
  if (isBroken > 0) return `${isBroken} ${isBroken === 1 ? 'thing is' : 'things are'} broken, ${doubts}.`;
  return isDoubtful > 0 ? `Nothing is broken, ${doubts}.` : 'All is well.';
}
