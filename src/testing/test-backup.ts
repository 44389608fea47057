import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instant, systemClock } from '../kernel/clock.ts'
import type { Clock } from '../kernel/clock.ts'
import { digestOf } from '../kernel/digest.ts'
import { silentLog } from '../kernel/log.ts'
import { systemRandom } from '../kernel/random.ts'
import { Secret } from '../kernel/secret.ts'
import { memberIdSchema } from '../protocol/wire.ts'
import { backupDirectory } from '../site/backup/backups.ts'
import { restoreBackup } from '../site/backup/restore-backup.ts'
import type { Restore, Restored } from '../site/backup/restore-backup.ts'
import type { BackupEntry } from '../site/backup/safe.ts'
import { siteSettingsSchema } from '../site/config.ts'
import { openSite } from '../site/open-site.ts'
import { erasePerson } from '../site/rights/erase-person.ts'
import type { ErasureRecord } from '../site/rights/erasure-store.ts'
import type { SiteContext } from '../site/site-context.ts'
import { testDatabaseUrl } from './test-postgres.ts'
import type { BareSite } from './test-site.ts'

/** A clock that goes on, and can be put ahead. */
export class ShiftedClock implements Clock {
  #aheadMs = 0

  now() {
    return instant(systemClock.now() + this.#aheadMs)
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(durationMs, signal)
  }

  advance(durationMs: number): void {
    this.#aheadMs += durationMs
  }
}

/** Where a backup is restored to, and the site that is open there. */
export interface TestRestore extends AsyncDisposable {
  readonly into: string
  readonly databaseUrl: string
  /** Restores, with everything as it should be unless told otherwise. */
  restore(more?: Partial<Restore>): Promise<Restored>
  /** Opens what was restored, as a start would, on the safe of its own. */
  open(): Promise<SiteContext>
}

/** An empty place and an empty database for a backup of a bare site. */
export async function testRestore(bare: BareSite, entry: BackupEntry): Promise<TestRestore> {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-restored-'))
  const into = join(directory, 'galway')
  const databaseUrl = (await testDatabaseUrl()).reveal()
  const opened = new AsyncDisposableStack()
  return {
    into,
    databaseUrl,
    restore: (more = {}) =>
      restoreBackup({
        site: 'galway',
        from: backupDirectory(entry),
        safe: bare.site.backups.safe.directory,
        keyFile: bare.site.backupSettings.keyFile,
        into,
        databaseUrl: new Secret(databaseUrl),
        clock: bare.site.clock,
        random: systemRandom,
        log: silentLog,
        ...more,
      }),
    open() {
      const settings = siteSettingsSchema.parse({
        site: 'galway',
        custodian: 'edgeworks',
        territory: 'IE',
        network: { url: 'http://127.0.0.1:1' },
        databaseUrl,
        vault: { memoryMb: 256, threads: 1 },
      })
      const start = { root: into, settings, log: silentLog, clock: bare.site.clock, random: systemRandom }
      return openSite(start, opened, () => undefined)
    },
    async [Symbol.asyncDispose]() {
      await opened.disposeAsync()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Erases a person of the issuer `federation` at their own request. */
export async function eraseByKey(bare: BareSite, personKey: string): Promise<ErasureRecord> {
  return erasePerson(bare.site, {
    person: await bare.numberOf(personKey),
    issuer: memberIdSchema.parse('federation'),
    reason: 'request',
    requestedBy: 'operator',
    nameMark: digestOf(`federation\0${personKey}`),
  })
}
