import { Component, createElement, lazy, Suspense, useState, type ComponentType, type ReactNode } from 'react';
import { fetched, MissingCode, MissingCodeNotice } from './missing-code.tsx';

/**
 * A part of a page whose code is loaded when somebody looks at it. Without it the rest of the page stays, and what was typed there.
 * `Missing` is shown in its place then.
 */
export function lazyPart<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  fallback: ReactNode,
  Missing: ComponentType<{ readonly onRetry: () => void }> = MissingCodeNotice,
): ComponentType<Props> {
  const make = (): ComponentType<Props> => lazy(async () => ({ default: await fetched(load)() }));
  const first = make();
  return function LazyPart(props: Props) {
    // React remembers of a lazy component that it failed.
    const [{ Part }, setPart] = useState({ Part: first });
    const again = (): void => setPart({ Part: make() });
    return (
      <PartBoundary of={Part} missing={<Missing onRetry={again} />}>
        <Suspense fallback={fallback}>{createElement<Props>(Part, props)}</Suspense>
      </PartBoundary>
    );
  };
}

interface PartBoundaryProps {
  /** Another one is tried anew. */
  readonly of: unknown;
  readonly missing: ReactNode;
  readonly children: ReactNode;
}

interface PartBoundaryState {
  readonly error?: unknown;
  readonly of?: unknown;
}

/** React has no hook for it. */
class PartBoundary extends Component<PartBoundaryProps, PartBoundaryState> {
  override state: PartBoundaryState = {};

  static getDerivedStateFromProps({ of }: PartBoundaryProps, state: PartBoundaryState): PartBoundaryState | null {
    return of === state.of ? null : { of, error: undefined };
  }

  static getDerivedStateFromError(error: unknown): PartBoundaryState {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    // A defect is the page's to tell.
    if (!(error instanceof MissingCode)) throw error;
    return this.props.missing;
  }
}
