import { getHotkeyHandler } from '@mantine/hooks';
import { useLayoutEffect } from 'react';

/**
 * A key that does something on the page, unless somebody types it into a field; undefined is none. A switch or a checkbox is no field
 * to type in. It works from the moment that the page is seen.
 */
export function usePageHotkey(key: string | undefined, act: () => void): void {
  useLayoutEffect(() => {
    if (key === undefined) return undefined;
    const onKey = getHotkeyHandler([
      [
        key,
        (event: KeyboardEvent) => {
          if (isTypedInto(event.target)) return;
          event.preventDefault();
          act();
        },
        { preventDefault: false },
      ],
    ]);
    document.documentElement.addEventListener('keydown', onKey);
    return () => document.documentElement.removeEventListener('keydown', onKey);
  });
}

function isTypedInto(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !/^(?:checkbox|radio|button|range)$/.test(target.type);
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLElement && target.isContentEditable)
  );
}
