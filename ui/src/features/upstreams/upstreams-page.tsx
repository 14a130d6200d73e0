import { CliForNow } from '../../components/cli-for-now.tsx';

export function UpstreamsPage() {
  return <CliForNow title="Upstreams" command="npx apigate upstreams list" />;
}
