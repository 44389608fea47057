import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { readLogPosition } from '../transparency/log-position.ts'
import type { LeftLog } from '../transparency/log-position.ts'
import { siteDirectory } from './config.ts'
import type { SiteSettings } from './config.ts'
import { openRecord } from './open-record.ts'
import { readSiteKeys } from './site-keys.ts'

interface LeavingParts {
  readonly root: string
  readonly settings: SiteSettings
  readonly log: Log
  readonly clock: Clock
}

/**
 * The whole log of a site that is stopped, published under its present key for the last time: what the statement that replaces the
 * key tells of it (docs/decisions/0032). Whoever calls holds the lock of the site's directory.
 *
 * @throws Fault as `openSite` does for the record, its keys and its log
 */
export async function leaveSiteLog({ root, settings, log, clock }: LeavingParts): Promise<LeftLog> {
  const keys = await readSiteKeys(siteDirectory(root).keys)
  await using opened = new AsyncDisposableStack()
  const { receipts } = await openRecord({ root, settings, log, clock, keys }, opened)
  return await readLogPosition(receipts, clock.now())
}
