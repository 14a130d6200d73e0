import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { UpstreamTest } from '../../api/admin-schema.ts';
import { problemOf, type ApiProblem } from '../../api/api-problem.ts';
import { callApi, type Answer } from '../../api/call-api.ts';
import { invalidate } from '../../api/query-client.ts';

export interface NewApi {
  readonly baseUrl: string;
  readonly name: string;
  readonly needsKey: boolean;
}

export interface MadeApi {
  readonly name: string;
  /** Where clients find it, below the gateway's address. */
  readonly path: string;
  /** The API key, where it needs one. */
  readonly secret: string | undefined;
  /** Of the gateway config, in the order in which they were made. */
  readonly revisions: readonly number[];
}

/** Tests where an API is said to be. Resolves also where nothing answers: the result says why. */
export function useUpstreamTest() {
  return useMutation<UpstreamTest, ApiProblem, string>({
    mutationFn: async (baseUrl) => (await callApi('post', '/admin/upstreams/test', { json: { upstream: { base_url: baseUrl } } })).value,
  });
}

/** Makes upstream, route and key, one after the other. After a failure the next try goes on where it stopped. */
export function useMakeApi(onMade: (made: MadeApi) => void) {
  const [upstreamId, setUpstreamId] = useState<string>();
  const [hasRoute, setHasRoute] = useState(false);
  const revisions = useRef<readonly number[]>([]);
  const made = <T>({ value, revision }: Answer<T>): T => {
    if (revision !== undefined) revisions.current = [...revisions.current, revision];
    return value;
  };
  const making = useMutation<MadeApi, ApiProblem, NewApi>({
    mutationFn: async ({ baseUrl, name, needsKey }) => {
      const path = `/${name}`;
      let id = upstreamId;
      if (id === undefined) {
        revisions.current = [];
        id = made(await callApi('post', '/admin/upstreams', { json: { name, base_url: baseUrl } })).id;
        setUpstreamId(id);
      }
      if (!hasRoute) {
        // What follows the name goes to the upstream: /my-api/users becomes /users there.
        const route = { name, path_pattern: path, path_rewrite: '/$1', upstream_id: id, auth_required: needsKey };
        const answer = await callApi('post', '/admin/routes', { json: route }).catch(async (error: unknown) => {
          // Or what was refused would leave half of it behind, under a name that is about to be another one.
          const param = { id: id ?? '' };
          if (problemOf(error).status >= 400)
            await callApi('delete', '/admin/upstreams/:id', { param, query: {} }).then(
              () => setUpstreamId(undefined),
              () => undefined,
            );
          throw error;
        });
        made(answer);
        setHasRoute(true);
      }
      const secret = needsKey ? made(await callApi('post', '/admin/keys', { json: { name: `${name} first key` } })).key : undefined;
      await invalidate('upstreams', 'routes', 'keys');
      return { name, path, secret, revisions: revisions.current };
    },
    onSuccess: onMade,
  });
  /** Once all of it is gone again. */
  const startOver = (): void => {
    setUpstreamId(undefined);
    setHasRoute(false);
    making.reset();
  };
  return { making, startOver };
}
