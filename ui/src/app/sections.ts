import {
  IconArrowsSplit2,
  IconBroadcast,
  IconHistory,
  IconKey,
  IconLayoutDashboard,
  IconServer2,
  IconSettings,
  IconUsers,
  type Icon,
} from '@tabler/icons-react';

/** What the sidebar leads to, in its order. */
export const sections = [
  { label: 'Overview', to: '/', icon: IconLayoutDashboard },
  { label: 'Upstreams', to: '/upstreams', icon: IconServer2 },
  { label: 'Routes', to: '/routes', icon: IconArrowsSplit2 },
  { label: 'API keys', to: '/keys', icon: IconKey },
  { label: 'Live', to: '/live', icon: IconBroadcast },
  { label: 'History', to: '/history', icon: IconHistory },
  { label: 'Settings', to: '/settings', icon: IconSettings },
  { label: 'Access', to: '/access', icon: IconUsers },
] as const satisfies readonly { readonly label: string; readonly to: string; readonly icon: Icon }[];
