import { Menu, Text, UnstyledButton, Avatar, useMantineColorScheme } from '@mantine/core';
import { IconCheck, IconLogout } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { callApi, readApi } from '../api/call-api.ts';
import { meKey, queryClient } from '../api/query-client.ts';
import { mayLeave } from '../components/unsaved-input.ts';

const schemes = [
  ['auto', "The system's"],
  ['light', 'Light'],
  ['dark', 'Dark'],
] as const;

export function UserMenu() {
  const { data: me } = useQuery({ queryKey: meKey, queryFn: ({ signal }) => readApi('/admin/me', {}, signal), staleTime: Infinity });
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const signOut = async (): Promise<void> => {
    if (!(await mayLeave())) return;
    // A session that has ended already is as good as signed out.
    await callApi('post', '/admin/logout', {}, { throwOn401: true }).catch(() => undefined);
    queryClient.clear();
    await navigate({ to: '/sign-in', ignoreBlocker: true });
  };
  const label = me?.label ?? '';
  return (
    <Menu position="bottom-end" width={240} withinPortal>
      <Menu.Target>
        <UnstyledButton aria-label={`Account: ${label}`}>
          <Avatar size={34} radius="xl" color="harbor" variant="filled" aria-hidden>
            {label.slice(0, 1).toUpperCase()}
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Text size="xs" c="dimmed" px="sm" pt={6}>
          Signed in as
        </Text>
        <Text size="sm" fw={600} px="sm" pb="xs" truncate>
          {label}
        </Text>
        <Menu.Divider />
        <Menu.Label>Colour scheme</Menu.Label>
        {schemes.map(([scheme, label]) => (
          <Menu.Item
            key={scheme}
            closeMenuOnClick={false}
            rightSection={colorScheme === scheme && <IconCheck size={16} aria-label="(chosen)" role="img" />}
            onClick={() => setColorScheme(scheme)}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
