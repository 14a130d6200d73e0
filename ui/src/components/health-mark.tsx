import { IconAlertTriangleFilled, IconCircleCheckFilled, IconCircleDashed, IconPlayerPauseFilled } from '@tabler/icons-react';
import classes from './health-mark.module.css';

/** Shape, word and tone. A disabled upstream is no failing one: nobody knows how it does. */
const marks = {
  healthy: { Icon: IconCircleCheckFilled, word: 'Healthy' },
  failing: { Icon: IconAlertTriangleFilled, word: 'Failing' },
  unknown: { Icon: IconCircleDashed, word: 'Unknown' },
  disabled: { Icon: IconPlayerPauseFilled, word: 'Not watched' },
} as const;

/** How an upstream does: by shape, word and colour. */
export function HealthMark({ state, size = 16 }: { readonly state: keyof typeof marks; readonly size?: number }) {
  const { Icon, word } = marks[state];
  return (
    <span className={`${classes['mark']} ${classes[state]}`}>
      <Icon size={size} aria-hidden />
      {word}
    </span>
  );
}
