import { CliForNow } from '../../components/cli-for-now.tsx';

export function HistoryPage() {
  return <CliForNow title="History" command="npx apigate history" />;
}
