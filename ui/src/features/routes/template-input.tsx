import { Text, Textarea, TextInput, VisuallyHidden, type TextInputProps } from '@mantine/core';
import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';
import classes from './template-input.module.css';
import { complete, variableAt, type TemplateVariable } from './template-variables.ts';

export interface TemplateInputProps extends Omit<TextInputProps, 'value' | 'onChange'> {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly variables: readonly TemplateVariable[];
  /** More than one: a text area. */
  readonly rows?: number;
}

/**
 * A field for a template. Behind `${` a list of variables opens (the combobox pattern of WAI-ARIA): arrows choose, Enter and Tab
 * take, Escape closes, and typing narrows.
 */
export function TemplateInput({ value, onChange, variables, rows = 1, ...rest }: TemplateInputProps) {
  const id = useId();
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const [caret, setCaret] = useState<number>();
  const [active, setActive] = useState(0);
  /** Where the caret belongs, once React has put in the text that was taken: before the next key of somebody quick. */
  const taken = useRef<number>(undefined);
  useLayoutEffect(() => {
    if (taken.current === undefined) return;
    input.current?.focus();
    input.current?.setSelectionRange(taken.current, taken.current);
    taken.current = undefined;
  });
  const at = caret === undefined ? undefined : variableAt(value, caret);
  const found = at === undefined ? [] : variables.filter(({ name }) => name.startsWith(at.typed) && name !== at.typed);
  const isOpen = found.length > 0;
  const chosen = Math.min(active, found.length - 1);

  const follow = (): void => {
    const { selectionStart, selectionEnd } = input.current ?? {};
    setCaret(selectionStart === selectionEnd ? (selectionStart ?? undefined) : undefined);
  };
  const take = (name: string): void => {
    const done = complete(value, caret ?? value.length, name);
    onChange(done.text);
    setActive(0);
    setCaret(done.caret);
    taken.current = done.caret;
  };
  const steer = (event: KeyboardEvent): void => {
    if (!isOpen || event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowDown') setActive((chosen + 1) % found.length);
    else if (event.key === 'ArrowUp') setActive((chosen + found.length - 1) % found.length);
    else if (event.key === 'Enter' || (event.key === 'Tab' && !event.shiftKey)) take(found[chosen]!.name);
    else if (event.key === 'Escape') setCaret(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const field = {
    ref: input,
    value,
    autoComplete: 'off',
    spellCheck: false,
    role: 'combobox',
    'aria-expanded': isOpen,
    'aria-autocomplete': 'list',
    'aria-controls': isOpen ? `${id}-list` : undefined,
    'aria-activedescendant': isOpen ? `${id}-${chosen}` : undefined,
    onChange: (event: { currentTarget: { value: string; selectionStart: number | null } }) => {
      onChange(event.currentTarget.value);
      setCaret(event.currentTarget.selectionStart ?? undefined);
      setActive(0);
    },
    onKeyDown: steer,
    onKeyUp: (event: KeyboardEvent) => {
      if (/^(?:Arrow(?:Left|Right)|Home|End)$/.test(event.key)) follow();
    },
    onClick: follow,
    onBlur: () => setCaret(undefined),
    classNames: { input: classes['input'] ?? '' },
  } as const;
  return (
    <div className={classes['field']} style={{ flex: rest.flex as string }}>
      {rows > 1 ? <Textarea {...(rest as object)} {...field} rows={rows} /> : <TextInput {...rest} {...field} />}
      {isOpen && (
        <div className={classes['list']} id={`${id}-list`} role="listbox" aria-label="Variables">
          {found.map(({ name, description }, index) => (
            // The keyboard is the input's: it keeps the focus.
            // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
            <div
              key={name}
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              className={classes['option']}
              ref={index === chosen ? (element) => element?.scrollIntoView({ block: 'nearest' }) : undefined}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => take(name)}
            >
              <code>{`\${${name}${name.endsWith('.') ? '…' : ''}}`}</code>
              <Text span size="xs" c="dimmed">
                {description}
              </Text>
            </div>
          ))}
        </div>
      )}
      <VisuallyHidden role="status">
        {isOpen ? `${found.length} ${found.length === 1 ? 'variable' : 'variables'}, arrows choose, Enter takes` : ''}
      </VisuallyHidden>
    </div>
  );
}
