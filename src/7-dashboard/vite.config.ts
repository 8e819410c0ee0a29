import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import type { Plugin } from 'vite'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Scripts that the Overview begins with: the page itself, and its charts. */
const CALLED_ON_LOAD = new Set(['index', 'TimeChart', 'uPlot.min'])

/**
 * Has scripts compiled as they arrive, beside the page's thread, and not function by function while the page begins:
 * 70 ms of that thread, on a phone four times as much. Chromium's explicit compile hint, a comment to all others; it
 * counts only where nothing stands before it.
 */
const compileHints: Plugin = {
  name: 'compile-hints',
  enforce: 'post',
  generateBundle: {
    order: 'post',
    handler(_options, bundle) {
      for (const chunk of Object.values(bundle))
        if (chunk.type === 'chunk' && CALLED_ON_LOAD.has(chunk.name))
          chunk.code = `//# allFunctionsCalledOnLoad\n${chunk.code}`
    },
  },
}

export default defineConfig({
  root,
  plugins: [react(), tailwindcss(), compileHints],
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // Inlined assets would be data: URLs, which the content security policy allows for images only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // All that the first paint needs in one file: a browser opens six connections to a server, and what is left waits.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'first', tags: ['$initial'] }] } } },
    reportCompressedSize: false,
    // The budgets are gzipped, and a test keeps them.
    chunkSizeWarningLimit: 700,
  },
})
