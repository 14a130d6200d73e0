import type { ShownSetting } from '../model/described-setting.ts';
import { describeSettings } from '../settings/describe-settings.ts';
import { settingRow } from '../settings/settings-table.ts';
import type { Settings } from '../settings/settings.ts';

/** Every setting as the admin API shows it; secrets masked. */
export function shownSettings(settings: Settings): readonly ShownSetting[] {
  return describeSettings(settings).map(({ value, ...described }) => {
    const { help, defaultText, secret = false } = settingRow(described.key);
    return { ...described, value: typeof value === 'object' && value !== null ? [...value] : value, help, default: defaultText, secret };
  });
}
