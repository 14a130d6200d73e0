import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { problemOf } from '../api/api-problem.ts';
import { ErrorState } from '../components/error-state.tsx';

/** In the place of a page that could not be shown, by a defect of ours or for want of an answer. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const again = async (): Promise<void> => {
    await router.invalidate();
    reset();
  };
  return <ErrorState problem={problemOf(error)} onRetry={() => void again()} />;
}
