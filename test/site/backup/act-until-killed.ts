import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../../src/kernel/clock.ts'
import { silentLog } from '../../../src/kernel/log.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { makeBackup } from '../../../src/site/backup/make-backup.ts'
import { restoreBackup } from '../../../src/site/backup/restore-backup.ts'
import { siteSettingsSchema } from '../../../src/site/config.ts'
import { openSite } from '../../../src/site/open-site.ts'
import { completeErasures } from '../../../src/site/rights/complete-erasures.ts'

// A process of its own that does one act and is killed in it. It says each step, waits for ever at the one it is told, and
// says "acknowledged" when the act is done.
const [act = '', at = '', file = ''] = process.argv.slice(2)
const facts = JSON.parse(await readFile(file, 'utf8')) as {
  readonly root: string
  readonly databaseUrl: string
  readonly settings: unknown
  readonly from: string
  readonly safe: string
  readonly keyFile: string
  readonly into: string
}
const onStep = async (step: string) => {
  process.stdout.write(`${step}\n`)
  if (step === at) await new Promise(() => setInterval(() => undefined, 60_000))
}
if (act === 'restore') {
  const { from, safe, keyFile, into } = facts
  const databaseUrl = new Secret(facts.databaseUrl)
  const outside = { clock: systemClock, random: systemRandom, log: silentLog }
  await restoreBackup({ site: 'galway', from, safe, keyFile, into, databaseUrl, ...outside, onStep })
} else {
  const settings = siteSettingsSchema.parse(facts.settings)
  const opened = new AsyncDisposableStack()
  const start = { root: facts.root, settings, log: silentLog, clock: systemClock, random: systemRandom }
  const site = await openSite(start, opened, () => undefined)
  process.stdout.write('open\n')
  if (act === 'backup') await makeBackup(site, { onStep })
  else await completeErasures(site)
  process.stdout.write(`acknowledged ${join(facts.root, act)}\n`)
  await opened.disposeAsync()
}
