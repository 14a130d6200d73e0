import { useBlocker } from '@tanstack/react-router';
import { lossesOf, mayLeave, type Place } from '../components/unsaved-input.ts';

/** Holds back whoever leaves what they have typed, until they have said that they mean it. */
export function UnsavedGuard() {
  useBlocker({ shouldBlockFn, enableBeforeUnload });
  return null;
}

async function shouldBlockFn({ current, next }: { readonly current: Place; readonly next: Place }): Promise<boolean> {
  return !(await mayLeave(current, next));
}

function enableBeforeUnload(): boolean {
  return lossesOf().length > 0;
}
