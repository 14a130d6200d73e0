import { CopyButton } from './copy-button.tsx';
import classes from './command-line.module.css';

/** A command to take along to a terminal, or a value to copy. `what` completes "Copy …". */
export function CommandLine({ text, what }: { readonly text: string; readonly what: string }) {
  return (
    <div className={classes['block']}>
      <pre className={classes['text']}>{text}</pre>
      <div className={classes['foot']}>
        <CopyButton text={text} what={what} />
      </div>
    </div>
  );
}
