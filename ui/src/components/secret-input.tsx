import { PasswordInput, type PasswordInputProps } from '@mantine/core';

/** A field for what is written and never read back. Password managers only where `autoComplete` says so. */
export function SecretInput({ autoComplete = 'off', ...rest }: PasswordInputProps) {
  return (
    <PasswordInput
      autoComplete={autoComplete}
      spellCheck={false}
      visibilityToggleButtonProps={{ 'aria-label': 'Show or hide what is typed', tabIndex: 0 }}
      {...(autoComplete === 'off' ? { 'data-1p-ignore': true, 'data-lpignore': true } : {})}
      {...rest}
    />
  );
}
