import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { Secret } from '../../kernel/secret.ts'
import { momentText, shortMomentText } from '../../protocol/words/plain-words.ts'
import { openBackupDesk } from '../../sdk/backups.ts'
import type { Backup } from '../../sdk/backups.ts'
import type { Restored } from '../../site/restore-site.ts'
import { connectToSite, onlySite, siteRoot, siteSettingsHere } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { counted } from '../../kernel/counted.ts'
import { FellShort, WrongUse } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { progress, say, table } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface BackupsOptions extends SiteOptions {
  readonly destroy?: string
  readonly json?: boolean
}

interface HoldsOptions extends SiteOptions {
  readonly lift?: string
  readonly reason?: string
  readonly json?: boolean
}

interface RestoreOptions {
  readonly from?: string
  readonly safe?: string
  readonly key?: string
  readonly forgotten?: string
  readonly checkpoint?: string
  readonly acceptGap?: boolean
  readonly json?: boolean
}

/** `hedgerow site backup/backups/restore/rehearse`: a site's data, twice, without undoing what people were promised. */
export function addBackupVerbs(site: Command, session: Session): void {
  addSiteOptions(
    verb(site, {
      name: 'backup',
      summary:
        'make a backup while the site serves: encrypted, of one moment, read back before the verb ends',
      example: 'hedgerow site backup --site galway',
    }),
  ).action((options: BackupsOptions) => perform(session, () => backup(session, options)))
  addSiteOptions(
    verb(site, {
      name: 'backups',
      summary: 'backups that can still be read, each with the end of its window',
      example:
        'hedgerow site backups --site galway\nhedgerow site backups --destroy backup_01KB0000000000000000000000',
    }),
  )
    .option('--destroy <id>', 'first destroy this one and its key, before its window ends')
    .action((options: BackupsOptions) => perform(session, () => backups(session, options)))
  addSiteOptions(
    verb(site, {
      name: 'holds',
      summary: 'acquirers that are told nothing exact since a restore, because what they know is lost',
      example:
        'hedgerow site holds --site galway\nhedgerow site holds --lift northcare --reason "releases deleted, confirmed in writing"',
    }),
  )
    .option('--lift <acquirer>', 'answer this one again')
    .option('--reason <text>', 'why that is right')
    .action((options: HoldsOptions) => perform(session, () => holds(session, options)))
  addRestoreOptions(
    verb(site, {
      name: 'restore <name>',
      summary:
        'restore a site that is not there from a backup, with all that was erased and taken back since',
      example:
        'hedgerow site restore galway --from /backups/galway/backup_01KB0000000000000000000000 --safe /safe/galway --key backup.key',
    }),
  )
    .option(
      '--checkpoint <file>',
      'a checkpoint of its log that somebody else kept, to learn what is missing',
    )
    .option('--accept-gap', 'go on though receipts are known to be missing, and say so in a signed receipt')
    .action((name: string, options: RestoreOptions) =>
      perform(session, () => restore(session, { name, options })),
    )
  addRestoreOptions(
    verb(site, {
      name: 'rehearse [name]',
      summary:
        'restore a backup beside the site, look at all of it, and take it away again; nothing of it serves',
      example: 'hedgerow site rehearse galway',
    }),
  ).action((name: string | undefined, options: RestoreOptions) =>
    perform(session, () => rehearse(session, { name, options })),
  )
}

function addRestoreOptions(command: Command): Command {
  return command
    .option('--from <directory>', 'the backup: the directory with its manifest')
    .option('--safe <directory>', 'the newest safe of the site')
    .option('--key <file>', 'the backup key')
    .option('--forgotten <file>', 'the list of erased people; absent: as the settings say, else in the safe')
}

async function backup(session: Session, options: BackupsOptions): Promise<void> {
  const { client, site } = await connectToSite(session, options)
  const line = progress(session.terminal)
  line.show(`${site}: writing a backup, then reading it back …`)
  const made = await openBackupDesk(client)
    .make(session.signal)
    .finally(() => line.end())
  show(session, {
    json: options.json,
    value: made,
    print: () => {
      const { terminal } = session
      say(
        terminal,
        `${made.backup} is whole and was read back: ${sizeText(made.sizeBytes)} in "${made.directory}"`,
      )
      say(terminal, `It can be read until ${momentText(made.expiresAt)}; then its key is destroyed`)
      say(
        terminal,
        'To restore it takes the safe and the backup key too: keep both elsewhere than the backup',
      )
    },
  })
}

async function backups(session: Session, options: BackupsOptions): Promise<void> {
  const { client } = await connectToSite(session, options)
  const desk = openBackupDesk(client)
  const all = options.destroy === undefined ? await desk.list() : await desk.destroy(options.destroy)
  show(session, {
    json: options.json,
    value: all,
    print: () => {
      if (options.destroy !== undefined)
        say(session.terminal, `${options.destroy} can be read by nobody any more: its key is destroyed`)
      table(session.terminal, {
        none: 'No backups',
        head: ['backup', 'state', 'of', 'size', 'can be read until'],
        // A path is long, and is to be copied: it has a line of its own.
        rows: all.flatMap((each) => [rowOf(each), [`  ${each.directory}`]]),
      })
    },
  })
}

async function holds(session: Session, { lift, reason, ...options }: HoldsOptions): Promise<void> {
  if (lift !== undefined && reason === undefined)
    throw new WrongUse('Say why that is right, with --reason TEXT')
  const desk = openBackupDesk((await connectToSite(session, options)).client)
  const held = lift === undefined ? await desk.holds() : await desk.liftHold(lift, reason ?? '')
  show(session, {
    json: options.json,
    value: held,
    print: () => say(session.terminal, held.length === 0 ? 'Nobody is held' : held.join('\n')),
  })
}

function rowOf({ backup: id, state, takenAt, sizeBytes, expiresAt }: Backup): readonly string[] {
  const of = takenAt === undefined ? '' : shortMomentText(takenAt)
  return [id, state, of, sizeText(sizeBytes), shortMomentText(expiresAt)]
}

async function restore(
  session: Session,
  { name, options }: { name: string; options: RestoreOptions },
): Promise<void> {
  const { from, safe, key } = options
  if (from === undefined || safe === undefined || key === undefined)
    throw new WrongUse(
      'Say from which backup, with which safe and which key: --from DIRECTORY --safe DIRECTORY --key FILE',
    )
  const { restoreSite } = await import('../../site/restore-site.ts')
  const url = session.environment['HEDGEROW_DATABASE_URL']
  const restored = await unlessStopped(
    session,
    restoreSite({
      site: name,
      from,
      safe,
      keyFile: key,
      forgottenList: options.forgotten,
      into: siteRoot(session, name),
      databaseUrl: url === undefined ? undefined : new Secret(url),
      checkpoint: options.checkpoint === undefined ? undefined : await readFile(options.checkpoint, 'utf8'),
      mayMiss: options.acceptGap ?? false,
      signal: session.signal,
    }),
  )
  show(session, {
    json: options.json,
    value: restored,
    print: () => {
      print(session, restored)
      say(session.terminal, `Start it: hedgerow site serve ${name}`)
    },
  })
}

async function rehearse(
  session: Session,
  { name, options }: { name: string | undefined; options: RestoreOptions },
): Promise<void> {
  const site = name ?? session.environment['HEDGEROW_SITE'] ?? (await onlySite(session))
  const settings = await siteSettingsHere(session, site)
  if (!settings) throw new WrongUse(`A rehearsal is held where the site is: "${site}" is not on this machine`)
  const { rehearseRestore } = await import('../../site/restore-site.ts')
  const restored = await unlessStopped(
    session,
    rehearseRestore({
      root: siteRoot(session, site),
      settings,
      from: options.from,
      safe: options.safe,
      keyFile: options.key,
      forgottenList: options.forgotten,
      signal: session.signal,
    }),
  )
  show(session, {
    json: options.json,
    value: restored,
    print: () => {
      print(session, restored)
      say(session.terminal, 'This was a rehearsal: what was restored is removed again')
    },
  })
}

/** Ctrl-C is no failure: it says what there is, which is nothing. */
async function unlessStopped<T>({ signal }: Session, restoring: Promise<T>): Promise<T> {
  try {
    return await restoring
  } catch (thrown) {
    if (signal.aborted) throw new FellShort('Stopped: nothing was restored, and nothing is left of it')
    throw thrown
  }
}

function print({ terminal }: Session, restored: Restored): void {
  const { backup: id, site, takenAt, people, rows, checkpoints, logSize, logKnown, logMissing } = restored
  say(terminal, `${site} as of ${momentText(takenAt)}, from ${id}`)
  const counts = Object.entries(rows).map(([dataSet, count]) => `${dataSet} ${count.toLocaleString('en')}`)
  say(
    terminal,
    `  ${counted(people, 'person', 'people')}; rows: ${counts.length === 0 ? 'none' : counts.join(', ')}`,
  )
  const proven =
    checkpoints.length === 0 ? 'no checkpoint was signed yet' : `roots are right at ${checkpoints.join(', ')}`
  say(
    terminal,
    `  log: ${counted(logSize, 'receipt')} in the backup, ${logKnown - logSize} after it; ${proven}`,
  )
  const { erasures, withdrawals, objections, restrictions, endings } = restored
  say(
    terminal,
    `  done again: ${counted(erasures, 'erasure')}, ${counted(withdrawals, 'withdrawal')}, ${counted(objections, 'objection')}, ${counted(restrictions, 'restriction')}, ${counted(endings, 'end', 'ends')} of bases, guardianships and contracts`,
  )
  if (restored.corrections > 0) say(terminal, `  made again: ${counted(restored.corrections, 'correction')}`)
  for (const { dataSet, batch, rows: count, file } of restored.toImport)
    say(
      terminal,
      `  to be imported again: ${dataSet}, batch ${batch}, ${counted(count, 'row')}, file ${file}`,
    )
  for (const { correction, dataSet } of restored.toCorrect)
    say(terminal, `  to be made again once its rows are there: ${correction} of ${dataSet}`)
  if (restored.held.length + restored.debited > 0)
    say(
      terminal,
      `  told after the backup: held by the guard ${restored.held.join(', ') || 'nobody'}; ${restored.debited} noisy answers debited`,
    )
  const told: Readonly<Record<string, number>> = {
    correction: restored.corrections + restored.toCorrect.length,
    ingest: restored.toImport.length,
  }
  const after = Object.entries(restored.receiptsAfter)
    .filter(([kind]) => !DONE_AGAIN.has(kind))
    .map(([kind, count]) => [kind, count - (told[kind] ?? 0)] as const)
    .filter(([, count]) => count > 0)
  if (after.length > 0)
    say(
      terminal,
      `  acknowledged after the backup and not there: ${after.map(([kind, count]) => `${count} ${kind}`).join(', ')}`,
    )
  if (logMissing > 0)
    say(terminal, `  ${logMissing} receipts are missing; the receipt of the restore says so`)
}

/** Kinds whose acts a restore does again, or that changed nothing in the data. */
const DONE_AGAIN: ReadonlySet<string> = new Set([
  'erasure',
  'revocation',
  'objection',
  'restriction',
  'backup',
])

function sizeText(sizeBytes: number | undefined): string {
  if (sizeBytes === undefined) return ''
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  const step = sizeBytes < 1_000 ? 0 : Math.min(4, Math.floor(Math.log10(sizeBytes) / 3))
  return `${(sizeBytes / 1_000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step] ?? ''}`
}
