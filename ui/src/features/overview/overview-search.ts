export const windows = ['5m', '15m', '1h', '6h'] as const;
export type Window = (typeof windows)[number];

export interface OverviewSearch {
  /** How far back; 5 minutes when it is left out. */
  readonly window?: Window;
}

export function readOverviewSearch({ window }: Record<string, unknown>): OverviewSearch {
  const known = windows.find((each) => each === window);
  return known === undefined ? {} : { window: known };
}

export const windowText: Readonly<Record<Window, string>> = { '5m': '5 minutes', '15m': '15 minutes', '1h': 'hour', '6h': '6 hours' };
