import type { Command } from 'commander'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { assessmentRequestSchema } from '../../protocol/http/officer-api.ts'
import type { AssessmentView, Officer, WireAssessment } from '../../sdk/officer.ts'
import { WrongUse } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { manifestFiles } from '../trade/policy-plan.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'
import { connectOfficer, readDocument } from './officer-seat.ts'
import type { OfficerOptions } from './officer-seat.ts'

interface FilesOptions extends OfficerOptions {
  readonly endOthers?: boolean
}

/** `hedgerow officer assessment plan` and `apply`: assessments as files, with a plan before they apply. */
export function addAssessmentFileVerbs(assessment: Command, session: Session): void {
  addFilesVerb(assessment, session, {
    name: 'plan <path...>',
    summary: 'say what applying files of assessments (or directories of them) would change',
    example: 'hedgerow officer assessment plan assessments/ --site galway --as world-sport',
    isDryRun: true,
  })
  addFilesVerb(assessment, session, {
    name: 'apply <path...>',
    summary: 'attach assessments as files say them; what is attached so already is left alone',
    example: 'hedgerow officer assessment apply assessments/ --end-others --site galway --as world-sport',
    isDryRun: false,
  })
}

function addFilesVerb(
  assessment: Command,
  session: Session,
  { isDryRun, ...words }: { name: string; summary: string; example: string; isDryRun: boolean },
): void {
  addSiteOptions(verb(assessment, words))
    .option('--end-others', 'withdraw assessments that are attached and in none of the files')
    .action((paths: string[], options: FilesOptions) =>
      perform(session, async () => {
        const said = await saidIn(paths)
        const seat = await connectOfficer(session, options)
        const steps = await planAssessments(seat, { said, endsOthers: options.endOthers === true })
        const items: AppliedStep[] = []
        for (const step of steps) items.push(isDryRun ? shownOf(step) : await take(seat, step))
        show(session, {
          json: options.json,
          value: { items },
          print: () => print(session, { items, isDryRun }),
        })
      }),
    )
}

/** What the files say, each assessment once. */
async function saidIn(paths: readonly string[]): Promise<readonly WireAssessment[]> {
  const said = new Map<string, WireAssessment>()
  for (const file of await manifestFiles(paths)) {
    const one = await readDocument(assessmentRequestSchema, file)
    if (said.has(nameOf(one)))
      throw new WrongUse(`Cannot use "${file}": another file says "${one.reference}" of the same use too`)
    said.set(nameOf(one), one)
  }
  return [...said.values()]
}

/** An assessment is known by its kind, reference, data set and purpose. */
function nameOf({ kind, reference, dataSet, purpose }: WireAssessment | AssessmentView): string {
  return [kind, reference, dataSet, purpose].join('\n')
}

/** What is to be done about one: what is attached, what is withdrawn, and what has to wait. */
interface Step {
  readonly action: 'add' | 'change' | 'end' | 'none'
  readonly said?: WireAssessment | undefined
  readonly present?: AssessmentView | undefined
  readonly changes: readonly string[]
  readonly ends: readonly string[]
  /** Attached ones that bases in force rest on: withdrawn by the next run, when the bases rest on the new one. */
  readonly waits: readonly string[]
}

async function planAssessments(
  seat: Officer,
  { said, endsOthers }: { said: readonly WireAssessment[]; endsOthers: boolean },
): Promise<readonly Step[]> {
  const { items } = await seat.assessments()
  const attached = items.filter(({ state }) => state !== 'withdrawn')
  const resting = new Set(
    (await seat.bases()).items.flatMap((basis) =>
      basis.kind === 'legitimate_interest' && basis.state === 'in_force' ? [basis.assessment] : [],
    ),
  )
  const steps = said.map((one) =>
    stepOf(
      one,
      attached.filter((other) => nameOf(other) === nameOf(one)),
      resting,
    ),
  )
  const names = new Set(said.map(nameOf))
  const others = endsOthers ? attached.filter((one) => !names.has(nameOf(one))) : []
  return [
    ...steps,
    ...others.map((present): Step => ({
      action: 'end',
      present,
      changes: [],
      ends: [present.assessment],
      waits: [],
    })),
  ]
}

function stepOf(
  said: WireAssessment,
  attached: readonly AssessmentView[],
  resting: ReadonlySet<string>,
): Step {
  const kept = attached.find((one) => changesOf(one, said).length === 0)
  const others = attached.filter((one) => one !== kept).map(({ assessment }) => assessment)
  // Where the interest still prevails, bases go over to the new one without a gap; where it does not, nothing waits.
  const prevails = said.balancing?.result === 'interest_prevails'
  const waits = others.filter((one) => prevails && resting.has(one))
  const ends = others.filter((one) => !waits.includes(one))
  const last = attached.at(-1)
  if (kept) return { action: ends.length > 0 ? 'end' : 'none', said, present: kept, changes: [], ends, waits }
  if (!last) return { action: 'add', said, changes: [], ends, waits }
  return { action: 'change', said, present: last, changes: changesOf(last, said), ends, waits }
}

/** The fields in which an assessment is other than a file says. */
function changesOf(present: AssessmentView, said: WireAssessment): string[] {
  const [before, after] = [new Map(Object.entries(present)), new Map(Object.entries(said))]
  const fields = [...new Set([...before.keys(), ...after.keys()])].filter((field) => !OF_VIEW.has(field))
  return fields.flatMap((field) => {
    const [from, to] = [textOf(before.get(field)), textOf(after.get(field))]
    return from === to ? [] : [`${field}: ${from} → ${to}`]
  })
}

/** What a site says of an assessment besides what stands in its file. */
const OF_VIEW: ReadonlySet<string> = new Set(['assessment', 'attachedAt', 'withdrawnAt', 'state'])

function textOf(value: unknown): string {
  return value === undefined ? '(none)' : canonicalJson(value)
}

interface AppliedStep {
  readonly action: Step['action']
  readonly kind: string
  readonly reference: string
  readonly dataSet: string
  readonly purpose: string
  readonly assessment?: string | undefined
  readonly changes: readonly string[]
  readonly ends: readonly string[]
  readonly waits: readonly string[]
}

/** Attaches first and withdraws then, so that no use is without an assessment in between. */
async function take(seat: Officer, step: Step): Promise<AppliedStep> {
  const isNew = step.action === 'add' || step.action === 'change'
  const made = isNew && step.said ? await seat.attachAssessment(step.said) : undefined
  for (const assessment of step.ends) await seat.withdrawAssessment(assessment)
  return { ...shownOf(step), ...(made ? { assessment: made.assessment } : {}) }
}

function shownOf({ action, said, present, changes, ends, waits }: Step): AppliedStep {
  const one = said ?? present
  if (!one) throw new TypeError('A step is about an assessment')
  const { kind, reference, dataSet, purpose } = one
  const stays = action === 'none' || (action === 'end' && said !== undefined)
  const assessment = stays ? present?.assessment : undefined
  return {
    action,
    kind,
    reference,
    dataSet,
    purpose,
    ...(assessment ? { assessment } : {}),
    changes,
    ends,
    waits,
  }
}

const SIGNS = { add: '+', change: '~', end: '-', none: '=' } as const

function print(
  { terminal }: Session,
  { items, isDryRun }: { items: readonly AppliedStep[]; isDryRun: boolean },
): void {
  for (const { action, kind, reference, dataSet, purpose, assessment, changes, ends, waits } of items) {
    const which = assessment === undefined ? '' : ` (${assessment})`
    say(terminal, `${SIGNS[action]} ${kind} ${reference}, ${dataSet} for ${purpose}${which}`)
    for (const change of changes) say(terminal, `    ${change}`)
    if (ends.length > 0) say(terminal, `    ${isDryRun ? 'would withdraw' : 'withdrawn'}: ${ends.join(', ')}`)
    if (waits.length > 0)
      say(terminal, `    bases rest on ${waits.join(', ')}: apply them, then this again to withdraw it`)
  }
  const due = items.filter(({ action }) => action !== 'none').length
  if (due === 0) say(terminal, 'Everything is as the files say')
  else say(terminal, isDryRun ? `${due} to do; nothing was changed` : `${due} done`)
}
