import { useHotkeys } from '@mantine/hooks';

/** A key that does something on the page, unless somebody types it into a field; undefined is none. A switch or a checkbox is no field to type in. */
export function usePageHotkey(key: string | undefined, act: () => void): void {
  useHotkeys(
    key === undefined
      ? []
      : [
          [
            key,
            (event) => {
              if (isTypedInto(event.target)) return;
              event.preventDefault();
              act();
            },
            { preventDefault: false },
          ],
        ],
    [],
  );
}

function isTypedInto(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !/^(?:checkbox|radio|button|range)$/.test(target.type);
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLElement && target.isContentEditable)
  );
}
