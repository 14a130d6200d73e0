import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { EndCredentialDialog, type HowToEnd } from '../../components/end-credential-dialog.tsx';
import type { ApiToken } from './token-fields.tsx';

export interface TokenEnding {
  readonly token: ApiToken;
  readonly how: HowToEnd;
}

export interface EndTokenDialogProps {
  readonly ending: TokenEnding;
  readonly onClose: () => void;
  readonly onEnded?: () => void;
}

/** Asks before a token stops working, and says for whom. */
export function EndTokenDialog({ ending: { token, how }, onClose, onEnded }: EndTokenDialogProps) {
  const end = async (): Promise<void> => {
    const param = { id: token.id };
    if (how === 'revoke') await callApi('post', '/admin/tokens/:id/revoke', { param });
    else await callApi('delete', '/admin/tokens/:id', { param });
    await invalidate('tokens');
  };
  const after =
    how === 'revoke'
      ? 'The token stays in the list; it cannot be made valid again.'
      : 'The token leaves the list. There is no way back: a new token would be another one.';
  const consequence = `Programs that use it get 401 from now on, and streams that they follow end within seconds. ${after}`;
  return <EndCredentialDialog what="token" of={token} how={how} consequence={consequence} end={end} onClose={onClose} onEnded={onEnded} />;
}
