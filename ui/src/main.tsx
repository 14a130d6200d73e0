import './app/mantine-styles.ts';
import '@mantine/notifications/styles.css';
import './app/global.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/query-client.ts';
import { loadCode } from './app/load-code.ts';
import { router } from './app/router.tsx';
import { cssVariables, theme } from './app/theme.ts';

/** Of the policy that the page came with; style elements without it are ignored by the browser. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
// Read by the scroll lock of dialogs (get-nonce).
Object.assign(globalThis, { __webpack_nonce__: nonce });

// Before React draws anything: the page's code, who is signed in, and its data.
loadCode(router, router.latestLocation.pathname);
void router.load();

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
