import { SessionEndedDialog } from '../features/session/session-ended-dialog.tsx';
import { LeaveDialog } from './leave-dialog.tsx';

/** What the shell may have to ask, over any page. */
export function ShellDialogs() {
  return (
    <>
      <LeaveDialog />
      <SessionEndedDialog />
    </>
  );
}
