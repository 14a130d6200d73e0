import { AppShell, Badge, Box, Burger, Group, NavLink, ScrollArea, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { readApi } from '../api/call-api.ts';
import { useObservable } from '../api/observable-value.ts';
import { pollInterval, revisionKey } from '../api/query-client.ts';
import { sessionEnded } from '../api/session-state.ts';
import { lazyPart } from '../components/lazy-part.tsx';
import { Notice } from '../components/notice.tsx';
import { dialogWanted } from '../components/unsaved-input.ts';
import { AwayBanner } from './away-banner.tsx';
import { Logo } from './logo.tsx';
import { sections } from './sections.ts';
import { UnsavedGuard } from './unsaved-guard.tsx';
import { UserMenu } from './user-menu.tsx';

const ShellDialogs = lazyPart(async () => (await import('./shell-dialogs.tsx')).ShellDialogs, null, NoDialogs);

/** What is around every page for admins. */
export function Shell() {
  // On a phone the menu is open on the page that it was opened on: to navigate is to close it.
  const [menuOpenOn, setMenuOpenOn] = useState<string>();
  const { pathname } = useLocation();
  const menuOpened = menuOpenOn === pathname;
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 224, breakpoint: 'sm', collapsed: { mobile: !menuOpened } }}
      padding={{ base: 'md', md: 'xl' }}
    >
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <AppShell.Header bg="var(--surface)">
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={menuOpened}
              onClick={() => setMenuOpenOn(menuOpened ? undefined : pathname)}
              hiddenFrom="sm"
              size="sm"
              aria-label={menuOpened ? 'Close the menu' : 'Open the menu'}
              aria-expanded={menuOpened}
            />
            <Logo />
          </Group>
          <Group gap="sm" wrap="nowrap">
            <Revision />
            <UserMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" bg="var(--surface)" aria-label="Sections">
        <AppShell.Section grow component={ScrollArea}>
          {sections.map(({ label, to, icon: Icon }) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              label={label}
              leftSection={<Icon size={18} stroke={1.7} aria-hidden />}
              active={to === '/' ? pathname === '/' : pathname === to || pathname.startsWith(`${to}/`)}
              mb={2}
            />
          ))}
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} maw={1440}>
        <AwayBanner />
        <Outlet />
      </AppShell.Main>
      <UnsavedGuard />
      <Dialogs />
    </AppShell>
  );
}

/**
 * They are fetched a moment after the page, which is there sooner for that; and not only when they are needed: after an upgrade of the
 * gateway there would be nothing to fetch any more.
 */
function Dialogs() {
  const [isTime, setTime] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setTime(true), 1_500);
    return () => clearTimeout(timer);
  }, []);
  const isWanted = useObservable(dialogWanted);
  return isTime || isWanted ? <ShellDialogs /> : null;
}

/** They are tried again by themselves; it matters only when there is something to ask. */
function NoDialogs({ onRetry }: { readonly onRetry: () => void }) {
  const isSessionOver = useObservable(sessionEnded);
  useEffect(() => {
    const timer = setTimeout(onRetry, pollInterval);
    return () => clearTimeout(timer);
  });
  if (!isSessionOver) return null;
  return (
    <Box pos="fixed" top={72} left="50%" w="min(36rem, 94vw)" style={{ zIndex: 400, transform: 'translateX(-50%)' }}>
      <Notice kind="danger" title="Your session has ended">
        The form to sign in again could not be loaded. Copy what you have typed, then reload the page.
      </Notice>
    </Box>
  );
}

function Revision() {
  const { data } = useQuery({
    queryKey: revisionKey,
    queryFn: ({ signal }) => readApi('/version', {}, signal),
    refetchInterval: pollInterval,
  });
  if (data?.revision === undefined) return null;
  return (
    <Tooltip
      label={`Revision ${data.revision} of the gateway config; it grows by one with every change. APIGate ${data.version}.`}
      multiline
      w={260}
    >
      <Badge component={Link} to="/history" variant="default" tt="none" fw={500} style={{ cursor: 'pointer' }}>
        rev {data.revision}
      </Badge>
    </Tooltip>
  );
}
