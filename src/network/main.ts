import { existsSync } from 'node:fs'
import { systemClock } from '../kernel/clock.ts'
import { requireFreePort } from '../kernel/http/require-free-port.ts'
import { jsonLog, silentLog } from '../kernel/log.ts'
import { systemRandom } from '../kernel/random.ts'
import { serveUntil } from '../kernel/serve-until.ts'
import { serveNetwork } from './assemble-network.ts'
import { loadNetworkSettings, networkDirectory } from './config.ts'

/** What `hedgerow network serve` is told; the environment wins over the file, flags over all. */
export interface NetworkArguments {
  /** The network's own directory, for example `.hedgerow/network`. */
  readonly root: string
  /** Settings; absent: `config.yaml` of the directory if it is there. */
  readonly file?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly flags: Readonly<Record<string, unknown>>
  /** Aborted to stop cleanly. */
  readonly signal: AbortSignal
  readonly version?: string
}

/**
 * Runs a network on this machine's clock and entropy until the signal is aborted.
 *
 * @throws Fault `fault.configuration` (exit code 78), `fault.port_in_use` before anything is opened; `fault.database_ended`, `fault.ended_disk_full`
 */
export async function runNetwork({
  root,
  file,
  environment,
  flags,
  signal,
  version = '0',
}: NetworkArguments): Promise<void> {
  const own = networkDirectory(root).config
  const settings = await loadNetworkSettings({
    file: file ?? (existsSync(own) ? own : undefined),
    environment,
    flags,
  })
  const { logLevel } = settings
  const log = logLevel === 'silent' ? silentLog : jsonLog({ service: 'network', level: logLevel })
  await requireFreePort(root, settings)
  const start = { root, settings, log, clock: systemClock, random: systemRandom, version }
  await serveUntil(signal, await serveNetwork(start))
}
