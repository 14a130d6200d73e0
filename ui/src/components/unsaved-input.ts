import { useEffect, useRef } from 'react';
import { ObservableValue } from '../api/observable-value.ts';

/** A page, as the router knows it. */
export interface Place {
  readonly pathname: string;
  readonly search: object;
}

/** Something typed that only the page has. */
export interface UnsavedInput {
  /** What it belongs to: "Route orders". */
  readonly what: string;
  /** Names of the fields; empty while there is nothing to lose. Asked at the moment of leaving. */
  readonly fields: () => readonly string[];
  /** Whether it is still there afterwards, on another tab of the page, say. The same path when not given. */
  readonly isKept?: (from: Place, to: Place) => boolean;
}

export interface Loss {
  readonly what: string;
  readonly fields: readonly string[];
}

type Ask = (losses: readonly Loss[]) => Promise<boolean>;

const inputs = new Set<{ readonly current: UnsavedInput }>();
let ask: Ask | undefined;
let asking = Promise.withResolvers<Ask>();
/** Milliseconds that one waits for the dialog before the browser's own one has to do. */
const longestWait = 3_000;

/** Whether somebody waits for the dialog, whose code is loaded a moment after the page. */
export const dialogWanted = new ObservableValue(false);

/** Has people asked before they leave what they have typed: by a link, by going back, by closing the tab. */
export function useUnsavedInput(input: UnsavedInput): void {
  const current = useRef(input);
  useEffect(() => {
    current.current = input;
  });
  useEffect(() => {
    inputs.add(current);
    return () => {
      inputs.delete(current);
    };
  }, []);
}

/** What would be lost by going there; by going anywhere when no places are given. */
export function lossesOf(from?: Place, to?: Place): readonly Loss[] {
  return [...inputs].flatMap(({ current: { what, fields, isKept = hasSamePath } }) => {
    if (from !== undefined && to !== undefined && isKept(from, to)) return [];
    const lost = fields();
    return lost.length === 0 ? [] : [{ what, fields: lost }];
  });
}

/** Whether one may go there; asks where that loses something. */
export async function mayLeave(from?: Place, to?: Place): Promise<boolean> {
  const losses = lossesOf(from, to);
  if (losses.length === 0) return true;
  dialogWanted.set(true);
  const dialog = ask ?? (await Promise.race([asking.promise, late()]));
  if (dialog !== undefined) return await dialog(losses);
  return confirm(`Leave without saving? What you typed would be lost: ${losses.map(({ what }) => what).join(', ')}.`);
}

/** How it is asked; undefined: there is no dialog any more. */
export function askBy(dialog: Ask | undefined): void {
  ask = dialog;
  if (dialog === undefined) asking = Promise.withResolvers();
  else asking.resolve(dialog);
}

async function late(): Promise<undefined> {
  return await new Promise((done) => {
    setTimeout(done, longestWait, undefined);
  });
}

function hasSamePath(from: Place, to: Place): boolean {
  return from.pathname === to.pathname;
}
