import { Bitset } from '../../kernel/bitset.ts'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { IncidentStep, IncidentView } from '../../protocol/http/officer-api.ts'
import { notificationClock } from './incident-clock.ts'
import type { Incident } from './incident-store.ts'
import type { MemberAddresses } from './member-addresses.ts'

/** Whose data an incident is about, computed from the record of releases or from the vault. */
export interface AffectedPeople {
  readonly releases: number
  readonly recipients: readonly string[]
  readonly byDataSet: ReadonlyMap<string, { readonly people: Bitset; readonly columns: ReadonlySet<string> }>
}

/** An incident with its clock and what it comes to, as the officer sees it. */
export function viewIncident(
  incident: Incident,
  {
    affected,
    manifests,
    addresses,
    now,
  }: {
    affected: AffectedPeople
    manifests: ReadonlyMap<string, Manifest>
    addresses: MemberAddresses
    now: Instant
  },
): IncidentView {
  const { facts, steps } = incident
  const { scope, awareAt } = facts
  return {
    incident: incident.id,
    ...facts,
    awareAt: formatInstant(awareAt),
    scope:
      scope.kind === 'releases'
        ? { ...scope, from: formatInstant(scope.from), to: formatInstant(scope.to) }
        : scope,
    openedAt: formatInstant(incident.openedAt),
    state: stateOf(incident),
    authority: authorityClock(incident, now),
    affected: affectedView(affected, { manifests, addresses }),
    steps: steps.map(({ at, step }) => ({ at: formatInstant(at), step })),
  }
}

/** The step that told the authority; later ones are supplements (Art. 33(4)). */
function toldAuthority({
  steps,
}: Incident): { at: Instant; step: Extract<IncidentStep, { step: 'authority-told' }> } | undefined {
  for (const { at, step } of steps) if (step.step === 'authority-told') return { at, step }
  return undefined
}

function stateOf(incident: Incident): IncidentView['state'] {
  if (incident.steps.some(({ step }) => step.step === 'closed')) return 'closed'
  return toldAuthority(incident) ? 'authority_told' : 'open'
}

function authorityClock(incident: Incident, now: Instant): IncidentView['authority'] {
  const { due, rule } = notificationClock(incident.facts.awareAt)
  const isOwed = incident.facts.risk !== 'unlikely' && toldAuthority(incident) === undefined
  return {
    isOwed,
    due: formatInstant(due),
    hoursLeft: Math.floor((due - now) / 3_600_000),
    isOverdue: isOwed && now >= due,
    rule,
  }
}

function affectedView(
  { releases, recipients, byDataSet }: AffectedPeople,
  { manifests, addresses }: { manifests: ReadonlyMap<string, Manifest>; addresses: MemberAddresses },
): IncidentView['affected'] {
  const columns = [...byDataSet].flatMap(([dataSet, { columns: used }]) =>
    (manifests.get(dataSet)?.columns ?? []).filter(({ name }) => used.has(name)),
  )
  return {
    // A person in two data sets of one site has one number, and is counted once.
    people: countOnce([...byDataSet.values()].map(({ people }) => people)),
    releases,
    dataSets: [...byDataSet.keys()],
    recipients: [...recipients],
    recipientAddresses: recipients.flatMap((member) => {
      const address = addresses.get(member)
      return address === undefined ? [] : [{ member, address }]
    }),
    categories: [...new Set(columns.map(({ category, name }) => category ?? name))].toSorted(),
    hasSpecialCategories: columns.some(({ sensitivity }) => sensitivity === 'special_category'),
  }
}

function countOnce(sets: readonly Bitset[]): number {
  const all = new Bitset()
  for (const people of sets) all.addAll(people)
  return all.count()
}
