import { ObservableValue } from './observable-value.ts';

/** Whether the session that the page was opened with has ended; the shell then asks to sign in again, over the page. */
export const sessionEnded = new ObservableValue(false);

let answeredAt = Date.now();

/** When the gateway answered last, in milliseconds since 1970, if the calls since then got no answer at all. */
export const awaySince = new ObservableValue<number | undefined>(undefined);

export function gatewayAnswered(): void {
  answeredAt = Date.now();
  awaySince.set(undefined);
}

export function gatewayIsSilent(): void {
  awaySince.set(answeredAt);
}

let waiting: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

/** Resolves when somebody has signed in again. What waits keeps its input, so that nothing typed is lost. */
export function signedInAgain(): Promise<void> {
  waiting ??= Promise.withResolvers<void>();
  sessionEnded.set(true);
  return waiting.promise;
}

/** Lets what waited go on. */
export function resumeSession(): void {
  sessionEnded.set(false);
  waiting?.resolve();
  waiting = undefined;
}
