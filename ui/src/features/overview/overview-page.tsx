import { CliForNow } from '../../components/cli-for-now.tsx';

export function OverviewPage() {
  return <CliForNow title="Overview" command="npx apigate upstreams health" />;
}
