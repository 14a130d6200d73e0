import { List } from '@mantine/core';
import type { ApiProblem } from '../api/api-problem.ts';
import { Notice } from './notice.tsx';

export interface FormProblemProps {
  readonly problem: ApiProblem | undefined;
  /** Fields that the form shows messages beside; messages for others are listed here. */
  readonly shown?: readonly string[];
}

const none: readonly string[] = [];

/** Above the buttons of a form: what the gateway has against it, beyond what stands beside the fields. */
export function FormProblem({ problem, shown = none }: FormProblemProps) {
  if (problem === undefined) return null;
  const others = problem.errors.filter(({ field }) => !shown.includes(field));
  const onlyFields = problem.errors.length > 0 && others.length === 0;
  return (
    <Notice kind="danger" title={onlyFields ? undefined : problem.title}>
      {onlyFields ? 'Please see to the fields marked above; nothing was saved.' : problem.message}
      {problem.retryAfter !== undefined && ` Try again in ${waitOf(problem.retryAfter)}.`}
      {others.length > 0 && (
        <List size="sm" mt="xs">
          {others.map(({ field, message }) => (
            <List.Item key={`${field} ${message}`}>
              {field}: {message}
            </List.Item>
          ))}
        </List>
      )}
    </Notice>
  );
}

function waitOf(seconds: number): string {
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`;
}
