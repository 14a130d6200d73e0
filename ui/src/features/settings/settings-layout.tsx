import { Outlet } from '@tanstack/react-router';
import { PageHeader } from '../../components/page-header.tsx';
import { TabLinks } from '../../components/tab-links.tsx';

/** What the gateway was started with, and the way from here to files. */
export function SettingsLayout() {
  return (
    <>
      <PageHeader title="Settings" description="What this gateway was started with. They are read once: a restart takes new ones." />
      <TabLinks
        label="Settings"
        tabs={[
          { label: 'Settings', to: '/settings' },
          { label: 'Export', to: '/settings/export' },
        ]}
      />
      <Outlet />
    </>
  );
}
