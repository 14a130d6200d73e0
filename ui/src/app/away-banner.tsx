import { Box } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { useEffect } from 'react';
import { queryClient } from '../api/query-client.ts';
import { useObservable } from '../api/observable-value.ts';
import { awaySince } from '../api/session-state.ts';
import { clockText } from '../components/local-time.ts';
import { callApi } from '../api/call-api.ts';
import { Notice } from '../components/notice.tsx';

const pause = 2_000;

/** Says that the gateway does not answer, tries again by itself, and reads everything anew once it does. */
export function AwayBanner() {
  const since = useObservable(awaySince);
  const away = since !== undefined;
  useEffect(() => {
    if (!away) return undefined;
    const timer = setInterval(() => {
      callApi('get', '/version', {}, { throwOn401: true }).then(
        () => queryClient.invalidateQueries(),
        () => undefined,
      );
    }, pause);
    return () => clearInterval(timer);
  }, [away]);
  return (
    <Box mb={away ? 'md' : 0}>
      {away && (
        <Notice kind="warning" icon={IconPlugConnectedX} title="The gateway does not answer">
          What you see is of {clockText(since)} or older. It is tried again every {pause / 1000} seconds; what you have typed stays.
        </Notice>
      )}
    </Box>
  );
}
