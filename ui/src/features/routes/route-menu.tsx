import { Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCopy, IconFileText, IconPencil, IconRouteAltLeft, IconTerminal2, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Route } from '../../api/admin-schema.ts';
import { useClientOrigin } from '../../components/client-origin.ts';
import { copyText } from '../../components/copy-button.tsx';
import { RowMenu } from '../../components/row-menu.tsx';
import { sampleUrlOf } from '../../components/sample-url.ts';
import { cliOfRoute, yamlOfRoute } from './copy-route.ts';

export interface RouteMenuProps {
  readonly route: Route;
  /** Name of its upstream. */
  readonly upstream: string;
  readonly onDelete: () => void;
  /** Left out on the route's own page. */
  readonly isOwnPage?: boolean;
}

/** What can be done with a route. */
export function RouteMenu({ route, upstream, onDelete, isOwnPage = false }: RouteMenuProps) {
  const origin = useClientOrigin();
  const copy = async (what: string, text: string): Promise<void> => {
    const done = await copyText(text);
    notifications.show(
      done
        ? { message: `${what} was copied.` }
        : { color: 'red', title: 'The browser lets no page copy here', message: text, autoClose: false },
    );
  };
  return (
    <RowMenu of={route.name}>
      {!isOwnPage && (
        <Menu.Item component={Link} to={`/routes/${route.id}`} leftSection={<IconPencil size={16} aria-hidden />}>
          {route.managed ? 'Show' : 'Edit'}
        </Menu.Item>
      )}
      <Menu.Item
        component={Link}
        to="/routes/try"
        search={{ method: route.methods[0] ?? 'GET', url: sampleUrlOf(route, origin) } as never}
        leftSection={<IconRouteAltLeft size={16} aria-hidden />}
      >
        Try a request
      </Menu.Item>
      <Menu.Item component={Link} to="/routes/new" search={{ copy: route.id } as never} leftSection={<IconCopy size={16} aria-hidden />}>
        Duplicate
      </Menu.Item>
      <Menu.Item
        leftSection={<IconTerminal2 size={16} aria-hidden />}
        onClick={() => void copy('The command', cliOfRoute(route, upstream))}
      >
        Copy as CLI
      </Menu.Item>
      <Menu.Item leftSection={<IconFileText size={16} aria-hidden />} onClick={() => void copy('The YAML', yamlOfRoute(route, upstream))}>
        Copy as YAML
      </Menu.Item>
      {!route.managed && (
        <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={onDelete}>
          Delete…
        </Menu.Item>
      )}
    </RowMenu>
  );
}
