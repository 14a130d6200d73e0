import { useRouter, useSearch } from '@tanstack/react-router';
import { NarrowPage } from './narrow-page.tsx';
import { SignInForm } from './sign-in-form.tsx';

export function SignInPage() {
  const router = useRouter();
  const { to = '/' } = useSearch({ from: '/sign-in' });
  return (
    <NarrowPage title="Sign in" description="to manage this gateway.">
      <SignInForm onSignedIn={() => router.history.push(to)} />
    </NarrowPage>
  );
}
