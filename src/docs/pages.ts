import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cliPage } from './cli.ts'
import { configurationPage } from './configuration.ts'
import { errorsPage, troubleshooting } from './errors.ts'
import { between } from './markdown.ts'
import { rulesPage } from './quality-rules.ts'

/** Every page that is written from the code, as it should be now: path in the project → text. */
export async function pages(root: string): Promise<Map<string, string>> {
  const readme = readFileSync(join(root, 'README.md'), 'utf8').replaceAll('\r\n', '\n')
  return new Map([
    ['docs/configuration.md', configurationPage()],
    ['docs/cli.md', await cliPage()],
    ['docs/errors.md', errorsPage()],
    ['docs/quality-rules.md', rulesPage()],
    ['README.md', between(readme, 'troubleshooting', troubleshooting())],
  ])
}
