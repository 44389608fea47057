import { formatDate } from '../../kernel/clock.ts'
import { examineBackups } from '../backup/examine-backups.ts'
import { finding } from '../examination.ts'
import type { Examination, Finding } from '../examination.ts'

/** A site that the network does not know offers nothing and is asked nothing, and looks well otherwise. */
export async function checkRegistration({ questions, settings }: Examination): Promise<Finding[]> {
  const isRegistered = await questions.isRegistered()
  if (isRegistered === true) return [finding('registration', 'good', { says: 'the network knows this site' })]
  if (isRegistered === undefined)
    return [
      finding('registration', 'unknown', {
        says: 'the network does not answer, so nobody can tell whether it knows this site',
        remedy: 'Check network.url and the line',
      }),
    ]
  return [
    finding('registration', 'bad', {
      says: 'the network does not know this site by its key, so nobody can ask it anything',
      remedy: `Have the operator of the network register it: hedgerow network add-site ${settings.site} --country ${settings.territory} --custodian ${settings.custodian} --keys FILE`,
    }),
  ]
}

/** Whether the site answers, and what it says that it lacks. */
export async function checkService({ questions, settings }: Examination): Promise<Finding[]> {
  const ready = await questions.readiness()
  const database =
    settings.databaseUrl === undefined ? 'embedded database' : 'database of HEDGEROW_DATABASE_URL'
  if (!ready)
    return [
      finding('service', 'warning', {
        says: 'the site does not answer',
        remedy: 'Start it with "hedgerow site serve", or say where with --url',
      }),
    ]
  const failing = Object.entries(ready.checks).filter(([, isGood]) => !isGood)
  if (failing.length === 0) return [finding('service', 'good', { says: `ready; ${database} reachable` })]
  return failing.map(([name]) =>
    finding('service', 'bad', {
      says: `not ready: ${name}`,
      remedy: SERVICE_REMEDIES[name] ?? 'Look at the log of the site',
    }),
  )
}

const SERVICE_REMEDIES: Readonly<Record<string, string>> = {
  database: 'Start the database, or mend HEDGEROW_DATABASE_URL',
  evidence: 'Give evidence with "hedgerow site evidence"',
  network: 'Check network.url, and that the operator of the network has registered this site',
  line: 'Check network.url, and that the operator of the network has registered this site',
}

/** Whether there is a backup that can be read, made lately enough. */
export async function checkBackups(examination: Examination): Promise<Finding[]> {
  const { concerns, newest } = await examineBackups(examination)
  if (concerns.length > 0) return concerns.map((concern) => finding('backups', 'warning', concern))
  return [
    finding('backups', 'good', {
      says: `the newest can be read until ${formatDate(newest?.expiresAt ?? examination.clock.now())}`,
    }),
  ]
}
