import { CliForNow } from '../../components/cli-for-now.tsx';

export function SettingsPage() {
  return <CliForNow title="Settings" command="npx apigate settings show" />;
}
