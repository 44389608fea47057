import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { digestOf } from '../kernel/digest.ts'
import { silentLog } from '../kernel/log.ts'
import { makeDirectory } from '../kernel/make-directory.ts'
import { startEmbedded } from '../kernel/postgres/embedded-postgres.ts'
import type { EmbeddedPostgres } from '../kernel/postgres/embedded-postgres.ts'
import { migrate } from '../kernel/postgres/migrate.ts'
import { connect, embeddedUrl, ensureDatabase } from '../kernel/postgres/open-postgres.ts'
import { NETWORK_MIGRATIONS } from '../network/migrations/migrations.ts'
import { SITE_MIGRATIONS } from '../site/record/migrations.ts'

/** The databases of the cluster, by the names that servers give to theirs: with the tables of a site, and with those of a network. */
export type Template = 'site' | 'network'

const SOURCE = fileURLToPath(new URL('../', import.meta.url))
const KEPT = fileURLToPath(new URL('../../node_modules/.cache/test-cluster', import.meta.url))

/** What a cluster depends on; another word in one of them makes another cluster. */
const MADE_FROM = ['kernel/postgres', 'kernel/http', 'network/migrations', 'site/record']

/**
 * Lays a PostgreSQL that was never started into `<directory>/postgres`, with its templates: a server that starts there finds its
 * own. Making one takes two seconds and each test file needs one, so the first is kept and the others are copies of it.
 */
export async function layCluster(directory: string): Promise<void> {
  const kept = join(KEPT, await nameOfCluster())
  if (!existsSync(kept)) await keepCluster(kept)
  await copyWhole(kept, join(directory, 'postgres'))
}

async function nameOfCluster(): Promise<string> {
  const texts: string[] = []
  for (const folder of MADE_FROM) {
    const names = await readdir(join(SOURCE, folder), { recursive: true })
    for (const name of names.filter((found) => found.endsWith('.ts')).toSorted())
      texts.push(name, await readFile(join(SOURCE, folder, name), 'utf8'))
  }
  return digestOf(texts.join('\0')).slice(-24)
}

/** Makes it aside and moves it into place; whoever comes second throws its own away. Those of earlier tables go. */
async function keepCluster(kept: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-cluster-'))
  try {
    const server = await startEmbedded({ directory, log: silentLog, isDurable: false })
    try {
      await makeTemplate(server, 'site')
      await makeTemplate(server, 'network')
    } finally {
      await server.stop()
    }
    makeDirectory(KEPT, { mode: 0o777 })
    for (const name of await readdir(KEPT))
      if (!name.startsWith(basename(kept))) await rm(join(KEPT, name), { recursive: true, force: true })
    const draft = `${kept}.${process.pid}`
    await copyWhole(join(directory, 'postgres'), draft)
    await rename(draft, kept).catch(() => rm(draft, { recursive: true, force: true }))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function makeTemplate(server: EmbeddedPostgres, template: Template): Promise<void> {
  await ensureDatabase(embeddedUrl(server, 'postgres'), template)
  await using postgres = await connect(embeddedUrl(server, template), {
    name: 'template',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  await migrate(postgres.db, template === 'site' ? SITE_MIGRATIONS : NETWORK_MIGRATIONS)
}

/** With owners and rights: PostgreSQL runs as another user where we are root. */
async function copyWhole(from: string, to: string): Promise<void> {
  const copying = spawn('cp', ['-pR', from, to], { stdio: 'ignore' })
  const [code] = await once(copying, 'close')
  if (code !== 0) throw new Error(`Cannot copy "${from}" to "${to}"`)
}
