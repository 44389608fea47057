import { readFile } from 'node:fs/promises'
import { writeSync } from 'node:fs'
import { silentLog } from '../../../src/kernel/log.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { siteSettingsSchema } from '../../../src/site/config.ts'
import { openSite } from '../../../src/site/open-site.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { actAtOnce } from './acts-at-once.ts'

// A process of its own that does everything at once until it is killed, and says what begins and ends.
const [file = '', seed = ''] = process.argv.slice(2)
const facts = JSON.parse(await readFile(file, 'utf8')) as {
  readonly root: string
  readonly settings: unknown
  readonly now: number
}
const site = await openSite(
  {
    root: facts.root,
    settings: siteSettingsSchema.parse(facts.settings),
    log: silentLog,
    clock: new ManualClock(facts.now),
    random: systemRandom,
  },
  new AsyncDisposableStack(),
  () => undefined,
)
await actAtOnce(site, {
  seed,
  isOver: () => false,
  say: (happened) => void writeSync(1, `${JSON.stringify(happened)}\n`),
})
