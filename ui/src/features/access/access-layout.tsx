import { PageHeader } from '../../components/page-header.tsx';
import { TabLinks } from '../../components/tab-links.tsx';
import { Outlet } from '@tanstack/react-router';

/** Who may manage this gateway, and what they did. */
export function AccessLayout() {
  return (
    <>
      <PageHeader title="Access" description="Who may manage this gateway, and who did what." />
      <TabLinks
        label="Access"
        tabs={[
          { label: 'Admins', to: '/access' },
          { label: 'API tokens', to: '/access/tokens' },
          { label: 'Sessions', to: '/access/sessions' },
          { label: 'Audit log', to: '/access/audit' },
        ]}
      />
      <Outlet />
    </>
  );
}
