import { formatDate, formatInstant } from '../../kernel/clock.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import { idSource } from '../../kernel/id.ts'
import type { AssessmentRequest, AssessmentView } from '../../protocol/http/officer-api.ts'
import type { SiteContext } from '../site-context.ts'
import type { Assessment } from '../assessments/assessment-store.ts'
import { readBases } from '../consent/basis-store.ts'
import { endBasis } from '../consent/change-bases.ts'
import { registerFacts } from './gather-register.ts'
import { isOwn } from './is-own.ts'
import { missingAssessments } from './make-register.ts'
import type { LackingAssessment } from '../assessments/assessment-needed.ts'

/** Assessments as the officer works with them. `issuer`: only those of that issuer's data sets. */
export interface AssessmentActs {
  listAssessments(scope: {
    issuer?: string | undefined
  }): Promise<{ items: AssessmentView[]; missing: LackingAssessment[] }>
  attachAssessment(request: AssessmentRequest): Promise<AssessmentView>
  /** `undefined` when there is none, or none in the scope. */
  withdrawAssessment(request: {
    issuer?: string | undefined
    assessment: string
  }): Promise<AssessmentView | undefined>
}

/** Attaching and withdrawing take effect at once, and each is a receipt of the kind `policy`. */
export function assessmentActs(site: SiteContext): AssessmentActs {
  return {
    async listAssessments({ issuer }) {
      const facts = await registerFacts(site, issuer)
      const own = new Set(facts.dataSets.map(({ manifest }) => manifest.dataSet))
      const items = facts.assessments.filter(({ facts: { dataSet } }) => own.has(dataSet))
      return {
        items: items.map((assessment) => assessmentView(site, assessment)),
        missing: missingAssessments(facts),
      }
    },
    async attachAssessment(facts) {
      const now = site.clock.now()
      const assessment = { id: idSource(site.clock, site.random).next('assessment'), facts, attachedAt: now }
      await site.assessments.attach(assessment, (tx) =>
        site.log.issue(tx, [
          { kind: 'policy', dataSet: facts.dataSet, policy: digestOfJson({ attached: { ...facts } }) },
        ]),
      )
      await site.log.publish()
      return assessmentView(site, assessment)
    },
    async withdrawAssessment({ assessment: id, issuer }) {
      const known = site.assessments.find(id)
      if (!known || !isOwn(site, known.facts.dataSet, issuer)) return undefined
      await endRestingOn(site, { assessment: id, by: issuer === undefined ? 'operator' : `issuer:${issuer}` })
      await site.assessments.withdraw({ id, now: site.clock.now() }, (tx) =>
        site.log.issue(tx, [
          {
            kind: 'policy',
            dataSet: known.facts.dataSet,
            policy: digestOfJson({ withdrawn: { ...known.facts } }),
          },
        ]),
      )
      await site.log.publish()
      return assessmentView(site, site.assessments.find(id) ?? known)
    },
  }
}

/** A legitimate interest is nothing without its assessment: runs under way are to be stopped too (GDPR Art. 6(1)(f)). */
async function endRestingOn(
  site: SiteContext,
  { assessment, by }: { assessment: string; by: string },
): Promise<void> {
  for (const { id, facts, end } of await readBases(site.db)) {
    if (end !== undefined || facts.kind !== 'legitimate_interest' || facts.assessment !== assessment) continue
    await endBasis(site.consent, { basis: id, reason: `Assessment ${assessment} was withdrawn` }, { by })
  }
}

function assessmentView(
  { clock }: SiteContext,
  { id, facts, attachedAt, withdrawnAt }: Assessment,
): AssessmentView {
  const isDue = facts.reviewBy <= formatDate(clock.now())
  return {
    assessment: id,
    ...facts,
    attachedAt: formatInstant(attachedAt),
    ...(withdrawnAt === undefined ? {} : { withdrawnAt: formatInstant(withdrawnAt) }),
    state: withdrawnAt !== undefined ? 'withdrawn' : isDue ? 'review_due' : 'in_force',
  }
}
