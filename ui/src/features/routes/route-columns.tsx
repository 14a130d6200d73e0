import { Anchor, Badge, Code, Group, Text, VisuallyHidden } from '@mantine/core';
import { IconAlertTriangle, IconKey, IconLockOpen } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { PlacedRoute, Route } from '../../api/admin-schema.ts';
import type { Column } from '../../components/resource-table.tsx';
import { EnabledSwitch } from './enabled-switch.tsx';
import classes from './routes.module.css';
import { shortProtocolNames } from './routes-search.ts';

export const routeColumns: readonly Column<PlacedRoute>[] = [
  { header: 'Route', cell: (placed) => <RouteCell placed={placed} /> },
  { header: 'Takes', cell: ({ route }) => <Takes route={route} /> },
  {
    header: 'Upstream',
    cell: ({ route, upstream }) => (
      <Anchor component={Link} to={`/upstreams/${route.upstream_id}`} size="sm" className={classes['cut'] ?? ''} title={upstream}>
        {upstream}
      </Anchor>
    ),
  },
  {
    header: 'Protocol',
    cell: ({ route }) => (
      <Badge variant="default" tt="none" fw={500} className={classes['whole'] ?? ''}>
        {shortProtocolNames[route.protocol]}
      </Badge>
    ),
  },
  {
    header: 'Access',
    cell: ({ route }) => (
      <Group gap={6} wrap="nowrap" component="span" className={classes['whole'] ?? ''}>
        {route.auth_required ? <IconKey size={16} aria-hidden /> : <IconLockOpen size={16} aria-hidden />}
        {route.auth_required ? 'API key' : 'Open'}
      </Group>
    ),
  },
  { header: 'Enabled', cell: ({ route }) => <EnabledSwitch route={route} /> },
];

function RouteCell({ placed: { route, position, beaten_by, beats, beats_count, warnings } }: { readonly placed: PlacedRoute }) {
  const others = beaten_by === null ? warnings : warnings.slice(0, -1);
  return (
    <div className={classes['route']}>
      <span className={classes['place']}>
        <VisuallyHidden>{position === null ? 'No place: disabled.' : 'Place'}</VisuallyHidden>
        {position ?? <span aria-hidden>–</span>}
      </span>
      <div className={classes['names']}>
        <Anchor component={Link} to={`/routes/${route.id}`} fw={600} size="sm">
          {route.name}
        </Anchor>
        {route.managed && (
          <Badge ml="xs" size="sm" variant="default" tt="none" title="Made from the --upstream setting: read-only, always the last choice">
            managed
          </Badge>
        )}
        {route.priority !== 0 && (
          <Text size="xs" c="dimmed">
            Priority {route.priority}
          </Text>
        )}
        {beaten_by !== null && (
          <Warned>
            Never gets a request: <RouteLink to={beaten_by} /> always beats it
          </Warned>
        )}
        {others.map((warning) => (
          <Warned key={warning}>{warning}</Warned>
        ))}
        {beats_count > 0 && (
          <Text size="xs" c="dimmed">
            Shadows{' '}
            {beats.map((other, index) => (
              <span key={other.id}>
                {index > 0 && ', '}
                <RouteLink to={other} />
              </span>
            ))}
            {beats_count > beats.length && ` and ${beats_count - beats.length} more`}
          </Text>
        )}
      </div>
    </div>
  );
}

function RouteLink({ to: { id, name } }: { readonly to: { readonly id: string; readonly name: string } }) {
  return (
    <Anchor component={Link} to={`/routes/${id}`} size="xs" underline="always" c="inherit">
      {name}
    </Anchor>
  );
}

function Warned({ children }: { readonly children: React.ReactNode }) {
  return (
    <div className={classes['warned']}>
      <IconAlertTriangle size={14} aria-hidden />
      <span>{children}</span>
    </div>
  );
}

const kinds: Readonly<Record<Route['match_type'], string>> = { exact: 'exactly', prefix: '', regex: 'matches' };

/** Which requests: host and path, methods, and how many header conditions. */
function Takes({ route: { host_pattern, host_match_type, path_pattern, match_type, methods, headers } }: { readonly route: Route }) {
  return (
    <div className={classes['takes']}>
      <div>
        {kinds[match_type] !== '' && (
          <Text span size="xs" c="dimmed" mr={6}>
            {kinds[match_type]}
          </Text>
        )}
        <Code className={classes['pattern'] ?? ''}>{path_pattern}</Code>
      </div>
      {host_pattern !== '' && (
        <Text size="xs" c="dimmed">
          {host_match_type === 'regex' ? 'host matches ' : 'on '}
          <span className={classes['pattern']}>{host_pattern}</span>
        </Text>
      )}
      <Text size="xs" c="dimmed">
        {methods.length === 0 ? 'All methods' : methods.join(', ')}
        {headers.length > 0 && ` · ${headers.length} header ${headers.length === 1 ? 'condition' : 'conditions'}`}
      </Text>
    </div>
  );
}
