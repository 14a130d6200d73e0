import type { ApiKey } from '../../api/admin-schema.ts';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { EndCredentialDialog, type HowToEnd } from '../../components/end-credential-dialog.tsx';

export interface KeyEnding {
  readonly key: ApiKey;
  readonly how: HowToEnd;
}

export interface EndKeyDialogProps {
  readonly ending: KeyEnding;
  readonly onClose: () => void;
  readonly onEnded?: () => void;
}

/** Asks before a key stops working, and says for whom. */
export function EndKeyDialog({ ending: { key, how }, onClose, onEnded }: EndKeyDialogProps) {
  const end = async (): Promise<void> => {
    const param = { id: key.id };
    if (how === 'revoke') await callApi('post', '/admin/keys/:id/revoke', { param });
    else await callApi('delete', '/admin/keys/:id', { param });
    await invalidate('keys');
  };
  const consequence =
    how === 'revoke'
      ? 'Clients that use this key get 401 key_revoked from now on. The key stays in the list; it cannot be made valid again.'
      : 'Clients that use this key get 401 invalid_api_key from now on, and the key leaves the list. There is no way back: a new key would be another one.';
  return <EndCredentialDialog what="key" of={key} how={how} consequence={consequence} end={end} onClose={onClose} onEnded={onEnded} />;
}
