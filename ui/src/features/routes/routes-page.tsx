import { Button, Group, Stack, Text } from '@mantine/core';
import { IconArrowsSplit2, IconRouteAltLeft } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Route } from '../../api/admin-schema.ts';
import { problemOf } from '../../api/api-problem.ts';
import { AddLink } from '../../components/add-link.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { ResourceTable } from '../../components/resource-table.tsx';
import { usePageHotkey } from '../../components/use-page-hotkey.ts';
import { DeleteRouteDialog } from './delete-route-dialog.tsx';
import { routeColumns } from './route-columns.tsx';
import { RouteFilters } from './route-filters.tsx';
import { RouteMenu } from './route-menu.tsx';
import { routeOrderQuery } from './route-queries.ts';
import type { RoutesSearch } from './routes-search.ts';

export function RoutesPage() {
  const search = useSearch({ from: '/shell/routes' });
  const navigate = useNavigate();
  const routes = useInfiniteQuery(routeOrderQuery(search));
  const [deleting, setDeleting] = useState<Route>();
  usePageHotkey('n', () => void navigate({ to: '/routes/new' }));
  const setSearch = (next: RoutesSearch): void => void navigate({ to: '/routes', search: next, replace: true });
  const rows = routes.data?.pages.flatMap(({ data }) => data);
  const total = routes.data?.pages[0]?.total ?? 0;
  const isFiltered = Object.keys(search).length > 0;
  const isEmpty = rows?.length === 0;
  const add = <AddLink to="/routes/new">Add route</AddLink>;
  return (
    <>
      <PageHeader
        title="Routes"
        description="In the order in which the gateway prefers them: of those that fit a request, the first one takes it."
        actions={
          <>
            <Button component={Link} to="/routes/try" variant="default" leftSection={<IconRouteAltLeft size={16} aria-hidden />}>
              Try a request
            </Button>
            {add}
          </>
        }
      />
      <Stack>
        {!(isEmpty && !isFiltered) && <RouteFilters search={search} onChange={setSearch} />}
        {routes.isError && rows === undefined ? (
          <ErrorState problem={problemOf(routes.error)} onRetry={() => void routes.refetch()} />
        ) : isEmpty && !isFiltered ? (
          <EmptyState
            icon={IconArrowsSplit2}
            title="No routes yet"
            description="A route says which requests it takes and which upstream they go to. Without one the gateway answers 404 to everybody."
          >
            {add}
          </EmptyState>
        ) : isEmpty ? (
          <EmptyState icon={IconArrowsSplit2} title="No route matches" description="No route fits the search and the filters above.">
            <Button variant="default" onClick={() => setSearch({})}>
              Show all routes
            </Button>
          </EmptyState>
        ) : (
          <ResourceTable
            label="Routes in the order of matching"
            columns={routeColumns}
            rows={rows}
            rowKey={({ route }) => route.id}
            actions={({ route, upstream }) => <RouteMenu route={route} upstream={upstream} onDelete={() => setDeleting(route)} />}
          />
        )}
        {rows !== undefined && !isEmpty && (
          <Group justify="space-between">
            <Text size="sm" c="dimmed" role="status">
              {rows.length === total ? `${total} ${total === 1 ? 'route' : 'routes'}` : `${rows.length} of ${total} routes`}
            </Text>
            {routes.hasNextPage && (
              <Button variant="default" loading={routes.isFetchingNextPage} onClick={() => void routes.fetchNextPage()}>
                Show more
              </Button>
            )}
          </Group>
        )}
      </Stack>
      {deleting !== undefined && <DeleteRouteDialog route={deleting} onClose={() => setDeleting(undefined)} />}
    </>
  );
}
