/** Silver: how fast it is rebuilt, and what new and late readings cost after more and more history. `--large`: the cases that take minutes, too. */
import { fileURLToPath } from 'node:url'
import { benchLayer } from './layers.ts'

await benchLayer('silver', fileURLToPath(import.meta.url))
