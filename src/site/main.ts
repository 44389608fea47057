import { systemClock } from '../kernel/clock.ts'
import { requireFreePort } from '../kernel/http/require-free-port.ts'
import { jsonLog, silentLog } from '../kernel/log.ts'
import { systemRandom } from '../kernel/random.ts'
import { serveUntil } from '../kernel/serve-until.ts'
import { serveSite } from './assemble-site.ts'
import { loadSiteSettings, siteDirectory } from './config.ts'

/** What `hedgerow site serve` is told; the environment wins over the file, flags over all. */
export interface SiteArguments {
  /** The site's own directory, for example `.hedgerow/sites/galway`. */
  readonly root: string
  /** Settings; absent: `config.yaml` of the directory. */
  readonly file?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly flags: Readonly<Record<string, unknown>>
  /** Aborted to stop cleanly. */
  readonly signal: AbortSignal
  readonly version?: string
}

/**
 * Runs a site on this machine's clock and entropy until the signal is aborted.
 *
 * @throws Fault `fault.configuration` (exit code 78), `fault.port_in_use` before anything is opened; `fault.database_ended`, `fault.ended_disk_full`
 */
export async function runSite({
  root,
  file,
  environment,
  flags,
  signal,
  version,
}: SiteArguments): Promise<void> {
  const settings = await loadSiteSettings({ directory: siteDirectory(root), file, environment, flags })
  const { logLevel } = settings
  const log = logLevel === 'silent' ? silentLog : jsonLog({ service: settings.site, level: logLevel })
  await requireFreePort(root, settings)
  const start = { root, settings, log, clock: systemClock, random: systemRandom, version }
  await serveUntil(signal, await serveSite(start))
}
