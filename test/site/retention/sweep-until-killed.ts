import { readFile } from 'node:fs/promises'
import type { KyselyPlugin } from 'kysely'
import { silentLog } from '../../../src/kernel/log.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { siteSettingsSchema } from '../../../src/site/config.ts'
import { openSite } from '../../../src/site/open-site.ts'
import { sweepRetention } from '../../../src/site/retention/sweep-retention.ts'
import { RowEnds } from '../../../src/site/retention/row-ends.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

// A process of its own that sweeps and kills itself before one of its steps: a statement for the record, or an act of the
// vault, before and after it, or where people are to be forgotten. Says "done" and how many steps there were when it was not killed.
const [file = '', at = ''] = process.argv.slice(2)
const facts = JSON.parse(await readFile(file, 'utf8')) as {
  readonly root: string
  readonly settings: unknown
  readonly now: number
}
let steps = 0
const step = (): void => {
  steps += 1
  if (steps === Number(at)) process.kill(process.pid, 'SIGKILL')
}
const counting: KyselyPlugin = {
  transformQuery: ({ node }) => {
    step()
    return node
  },
  transformResult: ({ result }) => Promise.resolve(result),
}
const opened = new AsyncDisposableStack()
const site = await openSite(
  {
    root: facts.root,
    settings: siteSettingsSchema.parse(facts.settings),
    log: silentLog,
    clock: new ManualClock(facts.now),
    random: systemRandom,
  },
  opened,
  () => undefined,
)
const db = site.db.withPlugin(counting)
const vault: typeof site.vault = {
  ...site.vault,
  expire: (expiry) => around(() => site.vault.expire(expiry)),
  compact: () => around(() => site.vault.compact()),
  forgetAll: (people) => {
    if (at === 'forgetting') process.kill(process.pid, 'SIGKILL')
    return around(() => site.vault.forgetAll(people))
  },
}
const rowEnds = await RowEnds.open({ db, vault, partitions: site.partitions })
const { rows } = await sweepRetention({ ...site, db, vault, rowEnds })
process.stdout.write(`done ${rows} rows in ${steps} steps\n`)
await opened.disposeAsync()

async function around<T>(act: () => Promise<T>): Promise<T> {
  step()
  const done = await act()
  step()
  return done
}
