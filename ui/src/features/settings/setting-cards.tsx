import { Code } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Item } from '../../api/admin-schema.ts';
import classes from './setting-cards.module.css';

type Setting = Item<'/admin/settings'>;

export interface SettingCardsProps {
  readonly settings: readonly Setting[];
  readonly valueOf: (setting: Setting) => ReactNode;
}

/** The settings on a phone: name, value and purpose of each, and what else there is to know when one unfolds it. */
export function SettingCards({ settings, valueOf }: SettingCardsProps) {
  return (
    <ul className={`surface ${classes['cards']}`} aria-label="Settings">
      {settings.map((setting) => {
        const { key, help, origin, flag, environment, default: fallback } = setting;
        return (
          <li key={key}>
            <details>
              <summary className={classes['summary']}>
                <IconChevronRight size={16} aria-hidden className={classes['chevron']} />
                <span className={classes['key']}>{key}</span>
                <span className={classes['value']}>{valueOf(setting)}</span>
                <span className={classes['help']}>
                  {help}
                  {origin !== 'default' && <b> · set by {origin}</b>}
                </span>
              </summary>
              <dl className={classes['facts']}>
                {flag !== null && (
                  <div>
                    <dt>Flag</dt>
                    <dd>
                      <Code>{flag}</Code>
                    </dd>
                  </div>
                )}
                <div>
                  <dt>Variable</dt>
                  <dd>
                    <Code>{environment}</Code>
                  </dd>
                </div>
                <div>
                  <dt>Default</dt>
                  <dd>{fallback}</dd>
                </div>
              </dl>
            </details>
          </li>
        );
      })}
    </ul>
  );
}
