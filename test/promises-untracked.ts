/**
 * `node --import …`, for a process of tests: what node:test hears of asynchronous work is without promises. It would keep a record of each, from
 * its making until it is collected, which is up to half of a test's CPU time. What a test awaits fails it as before; an error that nobody
 * awaits may fail the file instead of the test within.
 */
import { createRequire } from 'node:module'

// The runner takes the function from the same object, once, when it is loaded.
const hooks = createRequire(import.meta.url)('node:async_hooks') as typeof import('node:async_hooks')
const { createHook } = hooks
hooks.createHook = (callbacks) => createHook({ trackPromises: false, ...callbacks })
