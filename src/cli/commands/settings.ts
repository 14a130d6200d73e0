import { describeSettings, type DescribedSetting } from '../../settings/describe-settings.ts';
import { CliCommand } from '../cli-command.ts';
import { runs, settingsFor, type CommandHost } from '../command-call.ts';
import type { Column } from '../output/format-table.ts';
import { addExamples } from '../resource-commands.ts';
import { addSettingsFlags, settingsFlagsGiven } from '../settings-flags.ts';

const columns: readonly Column<DescribedSetting & Record<string, unknown>>[] = [
  { title: 'KEY', text: ({ key }) => key },
  { title: 'VALUE', text: valueText, shrinks: true, style: ({ value }) => (value === null ? 'dim' : undefined) },
  { title: 'ORIGIN', text: ({ origin }) => origin, style: ({ origin }) => (origin === 'default' ? 'dim' : undefined) },
];

/** `apigate settings show` */
export function settingsCommand(host: CommandHost): CliCommand {
  const group = new CliCommand('settings');
  const show = group.command('show');
  show.description('print every setting with where it comes from; secrets are masked');
  addSettingsFlags(show);
  show.globals = ['--output', '--config', '--database', '--no-color'];
  addExamples(show, ['apigate settings show', 'apigate settings show --config /etc/apigate/apigate.yaml', 'apigate settings show -o json']);
  show.addHelpText(
    'after',
    '\nA key of the settings file in upper case, with APIGATE_ before it, is its environment variable;\nwith _FILE after it, the variable names a file that holds the value.',
  );
  runs(show, host, async (call) => {
    const settings = settingsFor(call.ports, settingsFlagsGiven(show));
    for (const warning of settings.warnings) call.print.warn(warning);
    const described = describeSettings(settings).map((setting) => ({ ...setting }));
    await call.print.list(described, () => Promise.resolve(columns), 'key');
  });
  return group;
}

function valueText({ value }: DescribedSetting): string {
  if (value === null) return 'unset';
  if (typeof value !== 'object') return String(value);
  return value.length === 0 ? 'none' : value.join(',');
}
