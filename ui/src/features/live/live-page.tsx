import { CliForNow } from '../../components/cli-for-now.tsx';

export function LivePage() {
  return <CliForNow title="Live" command="npx apigate tail" />;
}
