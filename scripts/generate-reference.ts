/**
 * Writes docs/reference/ from the code: errors, settings, command line, both doors, what SQL may hold. With `--check`
 * it writes nothing and fails, naming the files, when one is not what the code says.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { NETWORK_API } from '../src/protocol/http/network-endpoints.ts'
import { SITE_API } from '../src/protocol/http/site-api.ts'
import { cliPage } from './reference/cli-page.ts'
import { configPage } from './reference/config-page.ts'
import { errorsPage } from './reference/errors-page.ts'
import { httpPage } from './reference/http-page.ts'
import { queryPage } from './reference/query-page.ts'

const directory = new URL('../docs/reference/', import.meta.url)

const NOTE = '<!-- Made by scripts/generate-reference.ts ("make docs"): change the code, not this page. -->'

/** Every generated page by its file name. */
async function pages(): Promise<Readonly<Record<string, string>>> {
  return {
    'errors.md': errorsPage(),
    'config.md': await configPage(),
    'cli.md': await cliPage(),
    'http-network.md': httpPage({ title: 'HTTP of a network', endpoints: Object.values(NETWORK_API) }),
    'http-site.md': httpPage({ title: 'HTTP of a site', endpoints: Object.values(SITE_API) }),
    'query.md': queryPage(),
  }
}

async function main(): Promise<void> {
  const isCheck = process.argv.includes('--check')
  const stale: string[] = []
  await mkdir(directory, { recursive: true })
  for (const [name, body] of Object.entries(await pages())) {
    const text = `${NOTE}\n\n${body.trim()}\n`
    const file = new URL(name, directory)
    if ((await readFile(file, 'utf8').catch(() => '')) === text) continue
    stale.push(`docs/reference/${name}`)
    if (!isCheck) await writeFile(file, text)
  }
  if (stale.length === 0) return
  if (!isCheck) return void process.stdout.write(stale.map((name) => `${name}\n`).join(''))
  process.stderr.write(
    `${stale.join(', ')} ${stale.length === 1 ? 'is' : 'are'} not what the code says: run "make docs"\n`,
  )
  process.exitCode = 1
}

await main()
