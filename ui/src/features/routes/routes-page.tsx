import { CliForNow } from '../../components/cli-for-now.tsx';

export function RoutesPage() {
  return <CliForNow title="Routes" command="npx apigate routes list" />;
}
