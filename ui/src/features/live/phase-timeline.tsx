import { IconCheck, IconMinus, IconX } from '@tabler/icons-react';
import { bytesText, tookText } from '../../components/figures.ts';
import classes from './phase-timeline.module.css';
import type { FinishedRequest } from './request-tail.ts';

/** Where a request stood, step by step: which steps it passed, and where it broke. */
export function PhaseTimeline({ request }: { readonly request: FinishedRequest }) {
  const { duration_ms: duration, upstream_ms: waited, upstream_id: upstream } = request;
  return (
    <>
      {upstream !== null && waited > 0 && (
        <>
          <div className={classes['bar']} aria-hidden>
            <div className={classes['waited']} style={{ width: `${Math.min(100, (100 * waited) / Math.max(duration, waited))}%` }} />
          </div>
          <div className={classes['legend']}>
            {tookText(waited)} of {tookText(duration)} were spent waiting for the upstream.
          </div>
        </>
      )}
      <ol className={classes['list']}>
        {stepsOf(request).map(({ name, state, detail }) => {
          const Icon = icons[state];
          return (
            <li key={name} className={classes['step']}>
              <span className={`${classes['dot']} ${classes[state]}`}>
                <Icon size={14} stroke={2.5} role="img" aria-label={words[state]} />
              </span>
              <div>
                <div className={classes['name']}>{name}</div>
                <div className={classes['detail']}>{detail}</div>
              </div>
            </li>
          );
        })}
      </ol>
    </>
  );
}

type StepState = 'done' | 'broke' | 'unreached';

const icons = { done: IconCheck, broke: IconX, unreached: IconMinus } as const;
const words = { done: 'done', broke: 'went wrong here', unreached: 'not reached' } as const;
const order = ['request', 'connect', 'send', 'wait', 'body'] as const;

interface Step {
  readonly name: string;
  readonly state: StepState;
  readonly detail: string;
}

function stepsOf(request: FinishedRequest): readonly Step[] {
  const { code, outcome, phase, upstream_id, status, bytes_in, bytes_out, attempts, upstream_ms: waited } = request;
  const isTunnel = phase === 'tunnel' || status === 101;
  const at = phase === 'tunnel' ? 'body' : phase;
  // What the gateway refuses without saying where, it refuses before it asks an upstream.
  const broken = at ?? (code !== null || upstream_id === null || outcome === 'rejected' ? 'request' : undefined);
  const brokenAt = broken === undefined ? order.length : order.indexOf(broken);
  const state = (step: (typeof order)[number]): StepState => {
    const index = order.indexOf(step);
    // Answered by the gateway without an error, a preflight of CORS say: nothing broke, and no upstream was asked.
    if (index === brokenAt) return code === null && phase === null ? 'done' : 'broke';
    return index < brokenAt ? 'done' : 'unreached';
  };
  const about = (step: (typeof order)[number], done: string, broke: string): string =>
    ({ done, broke, unreached: 'Not reached.' })[state(step)];
  const upstream = request.upstream ?? 'the upstream';
  const route = request.route === null ? '' : ` Route ${request.route}.`;
  const tries = attempts > 1 ? ` ${attempts} connections were tried.` : '';
  return [
    {
      name: 'Request read and admitted',
      state: state('request'),
      detail: about(
        'request',
        `${route}${request.key === null ? '' : ` Key ${request.key}.`}`.trim() || 'Answered by the gateway itself.',
        route.trim() || 'No route took it.',
      ),
    },
    { name: 'Connection', state: state('connect'), detail: about('connect', `To ${upstream}.${tries}`, `None to ${upstream}.${tries}`) },
    {
      name: 'Request sent',
      state: state('send'),
      detail: about('send', `${bytesText(bytes_in)} of body.`, `Broke off after ${bytesText(bytes_in)} of body.`),
    },
    {
      name: 'Answer of the upstream',
      state: state('wait'),
      detail: about('wait', `${status ?? 'None'} after ${tookText(waited)}.`, 'None came that could be passed on.'),
    },
    {
      name: isTunnel ? 'Tunnel' : 'Response passed on',
      state: state('body'),
      detail: about('body', `${bytesText(bytes_out)} of body.`, `Broke off after ${bytesText(bytes_out)}.`),
    },
  ];
}
