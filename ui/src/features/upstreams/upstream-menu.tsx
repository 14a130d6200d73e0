import { Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCopyPlus, IconFileCode, IconPencil, IconPlugConnected, IconTerminal2, IconTrash, IconWorldUpload } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Upstream } from '../../api/admin-schema.ts';
import { copyText } from '../../components/copy-button.tsx';
import { RowMenu } from '../../components/row-menu.tsx';
import { asCli, asCurl, asYaml } from './upstream-commands.ts';

export interface UpstreamMenuProps {
  readonly upstream: Upstream;
  readonly onTest: () => void;
  readonly onDelete: () => void;
}

/** What can be done with one upstream. */
export function UpstreamMenu({ upstream, onTest, onDelete }: UpstreamMenuProps) {
  const copy = async (text: string, what: string): Promise<void> => {
    const copied = await copyText(text);
    const secret = upstream.auth_type === 'none' ? '' : ' The credential is not in it.';
    notifications.show(
      copied ? { message: `Copied ${what}.${secret}` } : { color: 'red', message: `The browser did not let ${what} be copied.` },
    );
  };
  return (
    <RowMenu of={upstream.name}>
      <Menu.Item leftSection={<IconPlugConnected size={16} aria-hidden />} onClick={onTest}>
        Test
      </Menu.Item>
      <Menu.Item
        component={Link}
        to={`/upstreams/${upstream.id}`}
        search={{ tab: 'settings' } as never}
        leftSection={<IconPencil size={16} aria-hidden />}
      >
        Edit
      </Menu.Item>
      <Menu.Item
        component={Link}
        to="/upstreams/new"
        search={{ from: upstream.id } as never}
        leftSection={<IconCopyPlus size={16} aria-hidden />}
      >
        Duplicate
      </Menu.Item>
      <Menu.Divider />
      <Menu.Item leftSection={<IconTerminal2 size={16} aria-hidden />} onClick={() => void copy(asCli(upstream), 'the command')}>
        Copy as CLI
      </Menu.Item>
      <Menu.Item
        leftSection={<IconWorldUpload size={16} aria-hidden />}
        onClick={() => void copy(asCurl(upstream, location.origin), 'the curl command')}
      >
        Copy as curl
      </Menu.Item>
      <Menu.Item leftSection={<IconFileCode size={16} aria-hidden />} onClick={() => void copy(asYaml(upstream), 'the YAML')}>
        Copy as YAML
      </Menu.Item>
      <Menu.Divider />
      <Menu.Item color="red" disabled={upstream.managed} leftSection={<IconTrash size={16} aria-hidden />} onClick={onDelete}>
        {upstream.managed ? 'Delete (made from --upstream)' : 'Delete…'}
      </Menu.Item>
    </RowMenu>
  );
}
