import { Button, Group, Stack, Text } from '@mantine/core';
import type { UseInfiniteQueryResult, InfiniteData } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { problemOf } from '../api/api-problem.ts';
import { ErrorState } from './error-state.tsx';

interface Page<Row> {
  readonly data: readonly Row[];
  readonly total: number;
  readonly next_cursor: string | null;
}

export interface ListSectionProps<Row> {
  readonly list: UseInfiniteQueryResult<InfiniteData<Page<Row>>>;
  /** One and many: `['admin', 'admins']`. */
  readonly nouns: readonly [string, string];
  /** Search, filters and buttons; there whether or not there is something. */
  readonly head?: ReactNode;
  /** In the place of a list that has nothing. */
  readonly empty: ReactNode;
  /** The table; rows are undefined while they are on their way. */
  readonly children: (rows: readonly Row[] | undefined) => ReactNode;
}

/** A list that is read page by page: what it shows while it loads, fails or is empty, how many there are, and the next page. */
export function ListSection<Row>({ list, nouns, head, empty, children }: ListSectionProps<Row>) {
  const rows = list.data?.pages.flatMap(({ data }) => data);
  const total = list.data?.pages[0]?.total ?? 0;
  const noun = (count: number): string => nouns[count === 1 ? 0 : 1];
  return (
    <Stack>
      {head}
      {list.isError && rows === undefined ? (
        <ErrorState problem={problemOf(list.error)} onRetry={() => void list.refetch()} />
      ) : rows?.length === 0 ? (
        empty
      ) : (
        children(rows)
      )}
      {rows !== undefined && rows.length > 0 && (
        <Group justify="space-between">
          <Text size="sm" c="dimmed" role="status">
            {rows.length === total
              ? `${total.toLocaleString('en')} ${noun(total)}`
              : `${rows.length.toLocaleString('en')} of ${total.toLocaleString('en')} ${noun(total)}`}
          </Text>
          {list.hasNextPage && (
            <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              Show more
            </Button>
          )}
        </Group>
      )}
    </Stack>
  );
}
