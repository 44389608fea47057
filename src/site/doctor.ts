import { execFile } from 'node:child_process'
import { readFile, readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../kernel/clock.ts'
import { formatDate, instant } from '../kernel/clock.ts'
import { LIMITS } from '../kernel/limits.ts'
import { examineBackups } from './backup/examine-backups.ts'
import type { SiteDirectory, SiteSettings } from './config.ts'
import { missingPapers } from './missing-papers.ts'
import type { LackedAssessment, LackedContract } from './missing-papers.ts'

/** How a check came out: `bad` makes the site unsafe or unable to serve, `warning` will, `unknown` could not be told. */
export type FindingState = 'good' | 'warning' | 'bad' | 'unknown'

/** One check with what was found and, unless all is well, how to mend it. */
export interface Finding {
  readonly check: string
  readonly state: FindingState
  readonly says: string
  readonly remedy?: string
}

/** What the doctor asks the running site and network for; `undefined` when they do not answer. */
export interface DoctorQuestions {
  /** The evidence in force, as the site's door tells its operator. */
  evidence(): Promise<
    | {
        readonly state: string
        readonly territory?: string | undefined
        readonly validUntil?: number | undefined
      }
    | undefined
  >
  /** Storing and processing areas of each data set, where the site says that its place is not in them. */
  readiness(): Promise<
    { readonly isReady: boolean; readonly checks: Readonly<Record<string, boolean>> } | undefined
  >
  /** The network's time by its answer, milliseconds. */
  networkTime(): Promise<number | undefined>
  /** Whether the network knows the site by its key. */
  isRegistered(): Promise<boolean | undefined>
  /** What is at the site, with where it may be stored and processed. */
  dataSets(): Promise<
    readonly { readonly dataSet: string; readonly store: boolean; readonly process: boolean }[] | undefined
  >
  /** Data sets that no contract in force covers. */
  missingContracts(): Promise<readonly LackedContract[] | undefined>
  /** Purposes of high risk that no assessment carries. */
  missingAssessments(): Promise<readonly LackedAssessment[] | undefined>
}

/** What the doctor looks at. */
export interface Examination {
  readonly directory: SiteDirectory
  readonly settings: SiteSettings
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly questions: DoctorQuestions
}

const DISK_FREE_BYTES_MIN = 2 * 1024 ** 3
const EVIDENCE_RENEWAL_MS = 14 * 24 * 60 * 60_000

/** Checks everything that would make a site unsafe, each with how to mend it. Changes nothing. */
export async function examineSite(examination: Examination): Promise<readonly Finding[]> {
  const checks = [
    checkKeys,
    checkKeyAge,
    checkDirectory,
    checkEvidence,
    checkPerimeters,
    checkPapers,
    checkDiskEncryption,
    checkDiskSpace,
    checkClock,
    checkRegistration,
    checkService,
    checkSignIn,
    checkBackups,
    checkSettings,
  ]
  const findings: Finding[] = []
  for (const check of checks) findings.push(...(await check(examination)))
  return findings
}

const KEY_FILES = ['signing.jwk', 'sealing.jwk', 'operator.jwk', 'master.key'] as const

async function checkKeys({ directory }: Examination): Promise<Finding[]> {
  const problems: Finding[] = []
  for (const name of KEY_FILES) {
    const path = join(directory.keys, name)
    const found = await stat(path).catch(() => undefined)
    if (!found)
      problems.push(
        finding('keys', 'bad', {
          says: `"${path}" is missing`,
          remedy: 'Restore it from your backup; a new one cannot open what was sealed to the old',
        }),
      )
    else if ((found.mode & 0o077) !== 0)
      problems.push(
        finding('keys', 'bad', {
          says: `others may read "${path}"`,
          remedy: `Run chmod 600 "${path}", and rotate the key if others were on this machine`,
        }),
      )
  }
  return problems.length > 0
    ? problems
    : [finding('keys', 'good', { says: 'all are there, readable by their owner only' })]
}

/** Keys that are replaced by a command, each with it; how old they are is told by their files. */
const ROTATED_KEYS = {
  'signing.jwk': 'hedgerow site rotate-key',
  'operator.jwk': 'hedgerow site rotate-operator-key',
  'master.key': 'hedgerow site rotate-master-key',
} as const
const KEY_AGE_MS_MAX = 400 * 24 * 60 * 60_000

async function checkKeyAge({ directory, clock }: Examination): Promise<Finding[]> {
  const old: Finding[] = []
  for (const [name, command] of Object.entries(ROTATED_KEYS)) {
    const found = await stat(join(directory.keys, name)).catch(() => undefined)
    const ageMs = found ? clock.now() - found.mtimeMs : 0
    if (ageMs <= KEY_AGE_MS_MAX) continue
    const days = Math.floor(ageMs / (24 * 60 * 60_000))
    old.push(
      finding('key age', 'warning', {
        says: `"${name}" is ${days} days old`,
        remedy: `Replace it with "${command}"`,
      }),
    )
  }
  return old.length > 0 ? old : [finding('key age', 'good', { says: 'none is older than 400 days' })]
}

async function checkDirectory({ directory }: Examination): Promise<Finding[]> {
  const found = await stat(directory.root).catch(() => undefined)
  if (found && (found.mode & 0o022) !== 0) {
    return [
      finding('directory', 'bad', {
        says: `others may write to "${directory.root}"`,
        remedy: `Run chmod go-w "${directory.root}"`,
      }),
    ]
  }
  const files = await readdir(directory.root).catch((): string[] => [])
  return files.length === 0
    ? [
        finding('directory', 'bad', {
          says: `"${directory.root}" is not there`,
          remedy: 'Make the site with "hedgerow site init"',
        }),
      ]
    : [finding('directory', 'good', { says: 'only its owner may write to it' })]
}

const START_OR_LOOK =
  'Start it with "hedgerow site serve"; if it runs, "hedgerow site evidence" says why it does not answer'

async function checkEvidence({ questions, clock, settings }: Examination): Promise<Finding[]> {
  const evidence = await questions.evidence()
  const remedy = 'Give evidence with "hedgerow site evidence"'
  if (!evidence)
    return [
      finding('evidence', 'unknown', {
        says: 'the site gave no answer about its evidence',
        remedy: START_OR_LOOK,
      }),
    ]
  if (evidence.state !== 'valid' || evidence.validUntil === undefined) {
    return [
      finding('evidence', 'bad', {
        says: `location evidence is ${evidence.state.replaceAll('_', ' ')}: every ask is declined`,
        remedy,
      }),
    ]
  }
  const until = formatDate(instant(evidence.validUntil))
  if (evidence.territory !== settings.territory) {
    return [
      finding('evidence', 'bad', {
        says: `the evidence says ${evidence.territory ?? 'nothing'}, the settings say ${settings.territory}`,
        remedy,
      }),
    ]
  }
  return evidence.validUntil - clock.now() < EVIDENCE_RENEWAL_MS
    ? [finding('evidence', 'warning', { says: `location evidence ends on ${until}`, remedy })]
    : [finding('evidence', 'good', { says: `valid until ${until}` })]
}

async function checkPerimeters({ questions }: Examination): Promise<Finding[]> {
  const dataSets = await questions.dataSets()
  if (!dataSets)
    return [
      finding('perimeters', 'unknown', {
        says: 'the site gave no answer about its data sets',
        remedy: START_OR_LOOK,
      }),
    ]
  const outside = dataSets.filter(({ store, process }) => !store || !process)
  if (outside.length === 0)
    return [
      finding('perimeters', 'good', {
        says: dataSets.length === 0 ? 'no data sets yet' : 'every data set may be stored and processed here',
      }),
    ]
  return outside.map(({ dataSet, store }) =>
    finding('perimeters', 'bad', {
      says: `"${dataSet}" may not be ${store ? 'processed' : 'stored'} where the site stands: every ask for it is declined`,
      remedy: 'Move the data set to a site inside its perimeter, or have its issuer change the manifest',
    }),
  )
}

/** What may be where it is, and is declined all the same: nobody agreed to its processing, or to its risk. */
async function checkPapers({ questions, settings }: Examination): Promise<Finding[]> {
  const [contracts, assessments] = [await questions.missingContracts(), await questions.missingAssessments()]
  const unknown = { says: 'the site gave no answer about them', remedy: START_OR_LOOK }
  const lacks = missingPapers({
    site: settings.site,
    contracts: contracts ?? [],
    assessments: assessments ?? [],
  })
  const told = (check: 'contracts' | 'assessments', isKnown: boolean, good: string): Finding[] => {
    const bad = lacks.filter((lack) => lack.check === check).map((lack) => finding(check, 'bad', lack))
    if (!isKnown) return [finding(check, 'unknown', unknown)]
    return bad.length > 0 ? bad : [finding(check, 'good', { says: good })]
  }
  return [
    ...told('contracts', contracts !== undefined, 'one is in force for every data set that needs one'),
    ...told('assessments', assessments !== undefined, 'every purpose of high risk has one'),
  ]
}

async function checkDiskEncryption({ directory }: Examination): Promise<Finding[]> {
  const remedy =
    'Put the directory on an encrypted disk (LUKS, FileVault, BitLocker), and note it in your records'
  const answer = await promisify(execFile)('lsblk', [
    '--noheadings',
    '--output',
    'TYPE',
    '--inverse',
    await deviceOf(directory.root),
  ]).catch(() => undefined)
  if (!answer)
    return [
      finding('disk encryption', 'unknown', {
        says: 'whether the disk is encrypted cannot be told from here',
        remedy,
      }),
    ]
  return answer.stdout.includes('crypt')
    ? [finding('disk encryption', 'good', { says: 'the directory is on an encrypted volume' })]
    : [
        finding('disk encryption', 'warning', {
          says: 'the directory is on a volume without encryption',
          remedy,
        }),
      ]
}

async function deviceOf(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)('df', ['--output=source', path])
  return stdout.trim().split('\n').at(-1) ?? ''
}

async function checkDiskSpace({ directory }: Examination): Promise<Finding[]> {
  const disk = await statfs(directory.root).catch(() => undefined)
  if (!disk)
    return [
      finding('disk space', 'unknown', {
        says: 'the free space cannot be told',
        remedy: 'Look at the disk by hand',
      }),
    ]
  const freeBytes = disk.bavail * disk.bsize
  const says = `${(freeBytes / 1e9).toFixed(freeBytes < 1e9 ? 3 : 1)} GB free`
  return freeBytes < DISK_FREE_BYTES_MIN
    ? [
        finding('disk space', 'warning', {
          says,
          remedy: 'Free space: a site that cannot write its receipts releases nothing',
        }),
      ]
    : [finding('disk space', 'good', { says })]
}

async function checkClock({ questions, clock }: Examination): Promise<Finding[]> {
  const theirs = await questions.networkTime()
  if (theirs === undefined)
    return [
      finding('clock', 'unknown', {
        says: 'the network does not answer, so the clock cannot be compared',
        remedy: 'Check network.url and the line',
      }),
    ]
  const offsetMs = Math.abs(clock.now() - theirs)
  return offsetMs > LIMITS.clockSkewMsMax / 2
    ? [
        finding('clock', 'bad', {
          says: `${Math.round(offsetMs / 1000)} s away from the network's: tokens and evidence are judged wrongly`,
          remedy: 'Let the machine keep its time by NTP',
        }),
      ]
    : [finding('clock', 'good', { says: 'agrees with the network’s' })]
}

/** A site that the network does not know offers nothing and is asked nothing, and looks well otherwise. */
async function checkRegistration({ questions, settings }: Examination): Promise<Finding[]> {
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

async function checkService({ questions, settings }: Examination): Promise<Finding[]> {
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

function checkSignIn({ settings }: Examination): Promise<Finding[]> {
  return Promise.resolve(
    settings.oidc === undefined
      ? [
          finding('sign-in of people', 'warning', {
            says: 'people cannot sign in to see and change their grants',
            remedy: 'Set "oidc" to the OpenID Connect provider of the issuer',
          }),
        ]
      : [finding('sign-in of people', 'good', { says: `by ${settings.oidc.issuer}` })],
  )
}

async function checkBackups(examination: Examination): Promise<Finding[]> {
  const { concerns, newest } = await examineBackups(examination)
  if (concerns.length > 0) return concerns.map((concern) => finding('backups', 'warning', concern))
  return [
    finding('backups', 'good', {
      says: `the newest can be read until ${formatDate(newest?.expiresAt ?? examination.clock.now())}`,
    }),
  ]
}

async function checkSettings({ settings, environment, directory }: Examination): Promise<Finding[]> {
  const file = await readFile(directory.config, 'utf8').catch(() => '')
  const insecure = [...Object.keys(environment), ...(file.match(/INSECURE_\w+/g) ?? [])].filter((name) =>
    name.includes('INSECURE_'),
  )
  const findings = insecure.map((name) =>
    finding('settings', 'bad', { says: `"${name}" is set`, remedy: 'Take it away' }),
  )
  const isOpen = !['127.0.0.1', '::1', 'localhost'].includes(settings.host)
  if (isOpen)
    findings.push(
      finding('settings', 'warning', {
        says: `the door listens on ${settings.host}, not only on this machine`,
        remedy: 'Put a proxy with TLS before it, and a firewall',
      }),
    )
  if (
    settings.network.url.startsWith('http://') &&
    !/^http:\/\/(127\.|localhost|\[::1\])/.test(settings.network.url)
  ) {
    findings.push(
      finding('settings', 'warning', {
        says: 'the line to the network is not encrypted by TLS',
        remedy: 'Use an https:// address of the network',
      }),
    )
  }
  return findings.length > 0 ? findings : [finding('settings', 'good', { says: 'nothing insecure is set' })]
}

function finding(
  check: string,
  state: FindingState,
  { says, remedy }: { says: string; remedy?: string },
): Finding {
  return { check, state, says, ...(remedy === undefined ? {} : { remedy }) }
}
