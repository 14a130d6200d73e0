import { environmentName, settingKeys, settingRow } from '../src/settings/settings-table.ts';

/** docs/settings.md: every setting once, in the order of `apigate settings show`. */
export function describeSettings(): string {
  return [
    '# Settings',
    '',
    '<!-- Made from src/settings/settings-table.ts: change that, then run "npm run docs". -->',
    '',
    'Settings start the process and are read once; what routes traffic (upstreams, routes, keys) is not among them.',
    'A flag wins over the environment, that over the settings file (`apigate.yaml`, or the one that `--config` names), that over the default.',
    'Each environment variable may have `_FILE` at its end: then its value is a path, and the setting is what that file holds.',
    'Unknown names and values that cannot be read stop the start and are named with where they came from.',
    '`apigate settings show` prints every value with its origin; the running gateway shows its own in the admin UI and at `GET /admin/settings` (scope `admin`). Secrets are masked.',
    '',
    '| flag | environment | in the settings file | default | |',
    '|---|---|---|---|---|',
    ...settingKeys.map((key) => {
      const row = settingRow(key);
      const flag = row.flag === undefined ? '' : `\`--${row.flag}${row.placeholder === undefined ? '' : ` ${row.placeholder}`}\``;
      const remarks = [row.help, ...(row.list ? ['a list'] : []), ...(row.secret ? ['secret'] : [])].join('; ');
      return `| ${flag} | \`${environmentName(key)}\` | \`${key}\` | ${row.defaultText} | ${remarks} |`;
    }),
    '',
  ].join('\n');
}
