import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { problemOf } from '../api/api-problem.ts';
import { ErrorState } from '../components/error-state.tsx';
import { MissingCode, MissingCodeNotice } from '../components/missing-code.tsx';
import { PageHeader } from '../components/page-header.tsx';

/** In the place of a page that could not be shown: by a defect of ours, or for want of an answer or of its code. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const again = (): void => {
    void router.invalidate().then(reset);
  };
  return (
    <>
      <PageHeader title="This page could not be shown" />
      {error instanceof MissingCode ? <MissingCodeNotice onRetry={again} /> : <ErrorState problem={problemOf(error)} onRetry={again} />}
    </>
  );
}
