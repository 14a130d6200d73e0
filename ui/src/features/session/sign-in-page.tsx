import { useRouter, useSearch } from '@tanstack/react-router';
import { useEffect } from 'react';
import { loadCode } from '../../app/load-code.ts';
import { NarrowPage } from './narrow-page.tsx';
import { SignInForm } from './sign-in-form.tsx';

export function SignInPage() {
  const router = useRouter();
  const { to = '/' } = useSearch({ from: '/sign-in' });
  // While somebody types: the page behind is there sooner.
  useEffect(() => loadCode(router, new URL(to, location.origin).pathname), [router, to]);
  return (
    <NarrowPage title="Sign in" description="to manage this gateway.">
      <SignInForm onSignedIn={() => router.history.push(to)} />
    </NarrowPage>
  );
}
