import { CliForNow } from '../../components/cli-for-now.tsx';

export function AccessPage() {
  return <CliForNow title="Access" command="npx apigate admins list" />;
}
