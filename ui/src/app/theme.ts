import { createTheme, Menu, Modal, Notification, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

/** The accent: the green-blue of harbour water. */
const harbor: MantineColorsTuple = [
  '#e6f7f5',
  '#cdeeea',
  '#9bdcd5',
  '#66c8bf',
  '#3fb5ab',
  '#239f96',
  '#12877f',
  '#0b6b69',
  '#0a5756',
  '#074342',
];

/** Greys with a little of the accent in them, for dark pages. */
const dark: MantineColorsTuple = [
  '#d5dcde',
  '#b3bdc0',
  '#96a2a6',
  '#66757a',
  '#455358',
  '#33403f',
  '#26312f',
  '#1a2224',
  '#12191b',
  '#0c1113',
];

export const theme = createTheme({
  primaryColor: 'harbor',
  // White text on it has 6:1, in both colour schemes (WCAG 2.2, 1.4.3).
  primaryShade: 7,
  colors: { harbor, dark },
  components: {
    // Its placeholder for the focus is a child that a menu may not have.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { 'aria-label': 'Dismiss' } } }),
    Modal: Modal.extend({ defaultProps: { closeButtonProps: { 'aria-label': 'Close' }, centered: true } }),
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'ui-sans-serif, "Inter", "Segoe UI", system-ui, -apple-system, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, monospace',
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.625rem', lineHeight: '1.25' },
      h2: { fontSize: '1.125rem', lineHeight: '1.4' },
      h3: { fontSize: '1rem', lineHeight: '1.4' },
    },
  },
});

/** Where Mantine's own greys and reds have too little contrast for text (WCAG 2.2, 1.4.3). */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f6f8f8',
    '--mantine-color-dimmed': '#56646a',
    '--mantine-color-placeholder': '#66757a',
    '--mantine-color-error': '#b3261e',
    '--surface': '#ffffff',
    '--surface-sunken': '#eef2f2',
    '--line': '#dbe2e2',
    '--tone-success': '#1e7d3c',
    '--tone-warning': '#a85a00',
    '--tone-danger': '#b3261e',
  },
  dark: {
    '--mantine-color-body': '#0e1416',
    '--mantine-color-dimmed': '#9fadb1',
    '--mantine-color-placeholder': '#8a989d',
    '--mantine-color-error': '#ff9a93',
    '--surface': '#151d20',
    '--surface-sunken': '#0a0f11',
    '--line': '#26312f',
    '--tone-success': '#6fd08c',
    '--tone-warning': '#ffb454',
    '--tone-danger': '#ff9a93',
  },
});
