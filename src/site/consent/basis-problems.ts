import type { Instant } from '../../kernel/clock.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { usefulKinds } from '../../protocol/law/basis-needs.ts'
import type { BasisRequest } from '../../protocol/law/basis-record.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { isKnownPurpose, isPurposeRefused } from '../../protocol/law/purpose.ts'
import type { ConsentContext } from './change-grants.ts'
import type { AssessedInterest } from './decide-basis.ts'

/** What recording a basis needs besides what every change of consent does. */
export interface BasisContext extends ConsentContext {
  readonly isAssessed: AssessedInterest
}

/** What stands against a record of a legal basis, field by field. */
export async function basisProblems(
  context: BasisContext,
  request: BasisRequest,
  now: Instant,
): Promise<readonly FieldProblem[]> {
  const { dataSets, validFrom = now, validUntil } = request
  const problems: FieldProblem[] = [...purposeProblems(request)]
  if (validUntil <= Math.max(now, validFrom))
    problems.push({ field: 'validUntil', expected: 'expected a time after it begins, and after now' })
  const manifests: Manifest[] = []
  for (const [index, dataSet] of dataSets.entries()) {
    const manifest = await context.findManifest(dataSet)
    if (manifest) manifests.push(manifest)
    else problems.push({ field: `dataSets[${index}]`, expected: 'expected a data set of this site' })
  }
  if (new Set(manifests.map(({ issuer }) => issuer)).size > 1)
    problems.push({ field: 'dataSets', expected: 'expected data sets of one issuer' })
  for (const manifest of manifests) problems.push(...manifestProblems(request, manifest))
  if (request.kind === 'legitimate_interest')
    problems.push(...interestProblems(context, { request, manifests, now }))
  return problems
}

function purposeProblems({ purposes }: BasisRequest): readonly FieldProblem[] {
  return purposes.flatMap((purpose, index) => {
    const field = `purposes[${index}]`
    if (!isKnownPurpose(purpose)) return [{ field, expected: 'expected a purpose of DPV 2.2, not its root' }]
    return isPurposeRefused(purpose)
      ? [{ field, expected: 'expected a purpose that may be allowed; no basis carries this one' }]
      : []
  })
}

function manifestProblems({ kind, columns = [] }: BasisRequest, manifest: Manifest): readonly FieldProblem[] {
  const known = new Set(manifest.columns.map(({ name }) => name))
  const useful = usefulKinds(manifest)
  return [
    ...(useful.includes(kind)
      ? []
      : [
          {
            field: 'kind',
            expected: `expected what the legal basis of "${manifest.dataSet}" asks for: ${useful.join(', ') || 'nothing can carry it'}`,
          },
        ]),
    ...(columns.every((column) => known.has(column))
      ? []
      : [{ field: 'columns', expected: `expected columns of "${manifest.dataSet}"` }]),
  ]
}

function interestProblems(
  { isAssessed }: BasisContext,
  {
    request,
    manifests,
    now,
  }: {
    request: Extract<BasisRequest, { kind: 'legitimate_interest' }>
    manifests: readonly Manifest[]
    now: Instant
  },
): readonly FieldProblem[] {
  const { assessment, purposes, columns = [] } = request
  const isCarried = manifests.every(({ dataSet }) =>
    purposes.every((purpose) => isAssessed(assessment, { dataSet, purpose, now })),
  )
  const special = manifests.flatMap((manifest) =>
    manifest.columns.filter(
      ({ name, sensitivity }) => sensitivity === 'special_category' && columns.includes(name),
    ),
  )
  return [
    ...(isCarried
      ? []
      : [
          {
            field: 'assessment',
            expected:
              'expected an assessment of the kind lia, in force, of this data set and purpose, in which the interest prevails',
          },
        ]),
    ...(special.length === 0
      ? []
      : [
          {
            field: 'columns',
            expected: 'expected no special category; no interest carries them (GDPR Art. 9(1))',
          },
        ]),
  ]
}
