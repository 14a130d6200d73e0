import { Button } from '@mantine/core';
import { IconRouteAltLeft } from '@tabler/icons-react';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { problemOf } from '../../api/api-problem.ts';
import { callApi, type Answer } from '../../api/call-api.ts';
import type { Route } from '../../api/admin-schema.ts';
import { invalidate, oneKey } from '../../api/query-client.ts';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { useClientOrigin } from '../../components/client-origin.ts';
import { MissingResource } from '../../components/missing-resource.tsx';
import { Notice } from '../../components/notice.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { sampleUrlOf } from '../../components/sample-url.ts';
import { tellChange } from '../../components/tell-change.tsx';
import { tellWarnings } from '../../components/tell-warnings.ts';
import { useEditForm } from '../../components/use-edit-form.tsx';
import { DeleteRouteDialog } from './delete-route-dialog.tsx';
import { RouteForm } from './route-form.tsx';
import { RouteMenu } from './route-menu.tsx';
import { useRoute, useUpstream } from './route-queries.ts';
import { fieldsOfRoute, valuesOfRoute } from './route-values.ts';

export function EditRoutePage() {
  const { id } = useParams({ from: '/shell/routes/$id' });
  const { data, error, refetch } = useRoute(id);
  if (data !== undefined) return <EditRoute key={id} stored={data} readError={error} />;
  if (error !== null)
    return <MissingResource what="route" problem={problemOf(error)} onRetry={() => void refetch()} list={['/routes', 'All routes']} />;
  return <PageSkeleton />;
}

function EditRoute({ stored, readError }: { readonly stored: Answer<Route>; readonly readError: Error | null }) {
  const { value: route } = stored;
  const { id } = useParams({ from: '/shell/routes/$id' });
  const navigate = useNavigate();
  const origin = useClientOrigin();
  const { data: upstream } = useUpstream(route.upstream_id);
  const [deleting, setDeleting] = useState(false);
  const resource = useEditForm({
    what: 'route',
    queryKey: oneKey('routes', id),
    stored,
    readError,
    unsaved: `Route ${route.name}`,
    valuesOf: valuesOfRoute,
    toFields: fieldsOfRoute,
    save: (json, ifMatch) => callApi('patch', '/admin/routes/:id', { param: { id: route.id }, json }, { ifMatch }),
    onSaved: async ({ value, revision, warnings }) => {
      await invalidate('routes');
      tellChange({ message: `${value.name} was saved.`, revision, undone: `${value.name} is as it was.` });
      tellWarnings(value.name, warnings);
      await navigate({ to: '/routes' });
    },
  });
  return (
    <>
      <PageHeader
        title={route.name}
        description={`Route to ${upstream?.name ?? '…'}`}
        actions={
          <>
            <Button
              component={Link}
              to="/routes/try"
              search={{ method: route.methods[0] ?? 'GET', url: sampleUrlOf(route, origin) } as never}
              variant="default"
              leftSection={<IconRouteAltLeft size={16} aria-hidden />}
            >
              Try a request
            </Button>
            <RouteMenu route={route} upstream={upstream?.name ?? route.upstream_id} onDelete={() => setDeleting(true)} isOwnPage />
          </>
        }
      />
      {route.managed && (
        <Notice kind="warning" title="Read-only">
          This route comes from the --upstream setting (APIGATE_UPSTREAM_URL) and is always the last choice. Change the setting, or add a
          route of your own.
        </Notice>
      )}
      <RouteForm
        key={resource.formKey}
        resource={resource}
        routeId={route.id}
        submitLabel="Save"
        isUnchanged={!resource.form.isDirty()}
        isReadOnly={route.managed}
        onCancel={() => void navigate({ to: '/routes' })}
        conflict={resource.conflict}
        onHold={resource.hold}
      />
      {deleting && (
        <DeleteRouteDialog
          route={route}
          onClose={() => setDeleting(false)}
          onDeleted={() => void navigate({ to: '/routes', ignoreBlocker: true })}
        />
      )}
    </>
  );
}
