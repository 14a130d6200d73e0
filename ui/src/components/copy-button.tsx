import { Button, type ButtonProps } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useState } from 'react';

export interface CopyButtonProps extends ButtonProps {
  readonly text: string;
  /** What is copied, for those who cannot see what stands beside it: "the key". */
  readonly what: string;
  readonly label?: string;
}

/** Copies a text; also over plain HTTP, where browsers hide their clipboard from pages. */
export function CopyButton({ text, what, label = 'Copy', ...rest }: CopyButtonProps) {
  const [done, setDone] = useState<'copied' | 'failed'>();
  useEffect(() => {
    if (done === undefined) return undefined;
    const timer = setTimeout(() => setDone(undefined), 2_000);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async (): Promise<void> => setDone((await copyText(text)) ? 'copied' : 'failed');
  return (
    <Button
      variant="default"
      size="xs"
      aria-label={done === 'copied' ? `Copied ${what}` : `${label} ${what}`}
      leftSection={done === 'copied' ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
      {...rest}
      onClick={() => void copy()}
    >
      {done === 'copied' ? 'Copied' : done === 'failed' ? 'Select and copy by hand' : label}
    </Button>
  );
}

/** Whether the text is in the clipboard now; works over plain HTTP too. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.setAttribute('readonly', '');
    // Inside an open dialog, whose focus trap would take the focus away from elsewhere.
    (document.activeElement?.parentElement ?? document.body).append(area);
    area.select();
    // oxlint-disable-next-line typescript/no-deprecated -- the only way on a page that did not come over HTTPS
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}
