import { useNavigate, useSearch } from '@tanstack/react-router';
import { problemOf } from '../../api/api-problem.ts';
import { callApi } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';
import { PageSkeleton } from '../../app/page-skeleton.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { tellChange } from '../../components/tell-change.tsx';
import { useResourceForm } from '../../components/use-resource-form.ts';
import { RouteForm } from './route-form.tsx';
import { useRoute } from './route-queries.ts';
import { fieldsOfRoute, newRouteValues, valuesOfRoute, type RouteValues } from './route-values.ts';
import { tellWarnings } from '../../components/tell-warnings.ts';

/** A route from nothing, or from another one. */
export function NewRoutePage() {
  const { copy, upstream } = useSearch({ from: '/shell/routes/new' });
  const { data, error, refetch } = useRoute(copy);
  if (copy === undefined) return <NewRoute initial={{ ...newRouteValues(), upstream_id: upstream ?? null }} />;
  if (data !== undefined) {
    return <NewRoute initial={{ ...valuesOfRoute(data.value), name: `${data.value.name}-copy`.slice(0, 100) }} copyOf={data.value.name} />;
  }
  if (error !== null) return <ErrorState problem={problemOf(error)} onRetry={() => void refetch()} />;
  return <PageSkeleton />;
}

function NewRoute({ initial, copyOf }: { readonly initial: RouteValues; readonly copyOf?: string }) {
  const navigate = useNavigate();
  const resource = useResourceForm({
    initial,
    toFields: fieldsOfRoute,
    isNew: true,
    unsaved: 'The new route',
    save: async (_, values) => {
      const { value, revision, warnings } = await callApi('post', '/admin/routes', { json: fieldsOfRoute(values) });
      await invalidate('routes');
      tellChange({ message: `${value.name} takes requests from now on.`, revision, undone: `${value.name} is gone again.` });
      tellWarnings(value.name, warnings);
      await navigate({ to: '/routes', ignoreBlocker: true });
    },
  });
  return (
    <>
      <PageHeader
        title="Add route"
        description={copyOf === undefined ? 'Which requests it takes, and where they go.' : `Begins as ${copyOf} is now.`}
      />
      <RouteForm resource={resource} submitLabel="Add route" onCancel={() => void navigate({ to: '/routes' })} />
    </>
  );
}
