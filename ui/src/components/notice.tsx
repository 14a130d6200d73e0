import { IconAlertTriangle, IconCircleCheck, type Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './notice.module.css';

export interface NoticeProps {
  readonly kind: 'success' | 'warning' | 'danger';
  readonly title?: string | undefined;
  readonly icon?: Icon;
  readonly children?: ReactNode;
}

/** Something to know, in the flow of a page. Screen readers are told at once; what is bad interrupts them. */
export function Notice({ kind, title, icon: Icon = kind === 'success' ? IconCircleCheck : IconAlertTriangle, children }: NoticeProps) {
  return (
    <div className={`${classes['notice']} ${classes[kind]}`} role={kind === 'danger' ? 'alert' : 'status'}>
      <Icon className={classes['icon'] ?? ''} size={20} aria-hidden />
      <div className={classes['body']}>
        {title !== undefined && <div className={classes['title']}>{title}</div>}
        {children}
      </div>
    </div>
  );
}
