import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { precompress } from './precompress.ts';

/** Where `npm run ui:dev` finds the gateway whose admin API it shows. */
const gateway = process.env['APIGATE_URL'] ?? 'http://localhost:8080';

// oxlint-disable-next-line import/no-default-export -- Vite wants it so
export default defineConfig({
  base: '/ui/',
  plugins: [react(), precompress()],
  // The gateway puts a fresh nonce in its place with every answer: src/admin/ui-files.ts.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    // Inlined files would be data: URLs, which the Content-Security-Policy keeps out.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What the first page loads is read from it: scripts/ui-size.test.ts.
    manifest: 'manifest.json',
    rolldownOptions: {
      output: {
        codeSplitting: {
          // A file for each set of pages that share a module would make some eighty requests of a page, most of them under 1 KB.
          groups: [
            { name: 'libraries', tags: ['$initial'], test: /[\\/]node_modules[\\/]/, priority: 3 },
            { name: 'shell', tags: ['$initial'], priority: 2 },
            { name: 'components', test: /ui[\\/]src[\\/](?:components|api|app)|tabler/, minShareCount: 3, priority: 1 },
            { name: 'fields', test: /@mantine/, minShareCount: 3, priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(['/admin', '/version'].map((path) => [path, { target: gateway, changeOrigin: true, configure: sayWhoAsks }])),
  },
});

/** The gateway refuses what another origin's page sends; the page of the development server is its own. */
function sayWhoAsks(proxy: { on(event: 'proxyReq', listener: (request: { removeHeader(name: string): void }) => void): void }): void {
  proxy.on('proxyReq', (request) => request.removeHeader('origin'));
}
