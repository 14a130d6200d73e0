import { Option } from 'commander';
import { settingKeys, settingRow } from '../settings/settings-table.ts';
import type { CliCommand } from './cli-command.ts';
import { globalOptions } from './global-options.ts';

/** Declares a flag for each setting that has one; `--database` is among the global ones. */
export function addSettingsFlags(command: CliCommand): void {
  for (const key of settingKeys) {
    const { flag, placeholder, help, defaultText } = settingRow(key);
    if (flag === undefined || flag === 'database') continue;
    const argument = placeholder === undefined ? '' : ` <${placeholder.toLowerCase()}>`;
    const option = new Option(`--${flag}${argument}`, help + defaultNote(defaultText));
    command.addOption(option);
    if (placeholder === undefined) command.addOption(new Option(`--no-${flag}`).hideHelp());
  }
}

/** The settings flags that were given, by long name without dashes, as `loadSettings` takes them. */
export function settingsFlagsGiven(command: CliCommand): Record<string, string | boolean | undefined> {
  const { config, database } = globalOptions(command);
  const flags: Record<string, string | boolean | undefined> = { config, database };
  for (const key of settingKeys) {
    const { flag } = settingRow(key);
    if (flag === undefined || flag === 'database') continue;
    const name = new Option(`--${flag}`).attributeName();
    if (command.getOptionValueSource(name) === 'cli') flags[flag] = command.getOptionValue(name) as string | boolean;
  }
  return flags;
}

function defaultNote(text: string): string {
  const said = /^unset(?:: (.*))?$/.exec(text);
  if (said === null) return ` (default: ${text})`;
  return said[1] === undefined ? '' : ` (default: ${said[1]})`;
}
