import { once } from 'node:events'
import { systemClock } from '../kernel/clock.ts'
import { jsonLog } from '../kernel/log.ts'
import { systemRandom } from '../kernel/random.ts'
import { serveNetwork } from '../network/assemble-network.ts'
import { networkSettingsSchema } from '../network/config.ts'

// A network in a process of its own, as in life; its parent is the benchmark or the crash test. Prints its address.
// Arguments: its directory, the address of a database (empty: an embedded one), the level of its log.
const [root = '', databaseUrl = '', level = 'info'] = process.argv.slice(2)
const settings = networkSettingsSchema.parse({
  port: 0,
  ...(databaseUrl === '' ? {} : { databaseUrl }),
})
await using network = await serveNetwork({
  root,
  settings,
  log: jsonLog({ service: 'network', level }),
  clock: systemClock,
  random: systemRandom,
})
process.stdout.write(`${network.url}\n`)
await once(process, 'SIGTERM')
