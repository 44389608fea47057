import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { GUARDIAN_EXPECTED, isStanding, whoMustAgree } from '../principals/guardians.ts'
import { guardianshipsOf } from '../principals/guardianship-store.ts'
import type { StoredGuardianship } from '../principals/guardianship-store.ts'
import { malformed } from './change-grants.ts'
import type { ChangeFacts, ConsentContext } from './change-grants.ts'
import { coveredAlready } from './grant-store.ts'
import { insertAgreement, openAgreements, saveAgreementReceipt } from './guardian-agreements.ts'
import type { Agreement } from './guardian-agreements.ts'
import type { ReadyGrant } from './ready-grant.ts'

/** A grant that may be written: everybody who has to stand behind it does. */
export interface StandingGrant extends ReadyGrant {
  /** Of a guardian's grant: the guardianship under which it was given last. */
  readonly guardianship?: string | undefined
  /** Agreements of others that it came of. */
  readonly agreements?: readonly number[] | undefined
}

interface GuardFacts {
  readonly context: ConsentContext
  readonly facts: ChangeFacts
  readonly now: Instant
  readonly terms: ReadonlyMap<Digest, { readonly id: number }>
  readonly barred: ReadonlySet<string>
}

/**
 * Guardianships of the children of these grants by which nobody decides, because the guardian is known not to decide for themselves. It is
 * asked before the lock of the consent sequence is taken, under which nobody waits for the vault.
 */
export async function barredGuardianships(
  { db, clock, ofGrownUps }: ConsentContext,
  ready: readonly ReadyGrant[],
): Promise<ReadonlySet<string>> {
  const people = peopleOfGuardians(ready)
  if (people.length === 0) return new Set()
  const all = await guardianshipsOf(db, people)
  const grownUps = new Set(await ofGrownUps(all, clock.now()))
  return new Set(all.filter((one) => !grownUps.has(one)).map(({ guardianship }) => guardianship))
}

function peopleOfGuardians(ready: readonly ReadyGrant[]): readonly number[] {
  return [...new Set(ready.filter(({ terms }) => terms.givenBy === 'guardian').map(({ person }) => person))]
}

/**
 * Puts the guardianship behind each grant that a guardian gives, and holds the grant to its time: it authorises only as
 * long as everybody who agreed may decide for the child. Without a guardian who is established here there is no
 * grant. Where several decide together (GDPR Art. 8: "given or authorised by the holder of parental responsibility",
 * national law on who holds it), the first ones agree, and the last makes it a grant.
 *
 * It reads under the lock of the consent sequence: who loses the power meanwhile gives nothing.
 */
export async function guardGrants(
  tx: DatabaseTransaction,
  ready: readonly ReadyGrant[],
  facts: GuardFacts,
): Promise<{ readonly complete: readonly StandingGrant[]; readonly awaiting: number }> {
  const people = peopleOfGuardians(ready)
  if (people.length === 0) return { complete: ready, awaiting: 0 }
  const all = await guardianshipsOf(tx, people)
  const standing = Map.groupBy(
    all.filter((one) => isStanding(one, facts.now)),
    ({ person }) => person,
  )
  const waiting = [...(await openAgreements(tx, people))]
  const complete: StandingGrant[] = []
  const problems: FieldProblem[] = []
  let awaiting = 0
  for (const grant of ready) {
    if (grant.terms.givenBy !== 'guardian') {
      complete.push(grant)
      continue
    }
    const decided = decideGrant(grant, standing.get(grant.person) ?? [], facts)
    if ('expected' in decided) problems.push(decided)
    else if (decided.needed.length === 1) complete.push(decided.grant)
    else {
      const agreed = await agree(tx, { ...decided, waiting, facts })
      if (agreed === 'waits') awaiting += 1
      else if (agreed !== 'covered') complete.push(agreed)
    }
  }
  if (problems.length > 0) throw malformed(problems)
  return { complete, awaiting }
}

interface DecidedGrant {
  readonly grant: StandingGrant
  /** Everybody who has to agree, the one who gives it among them. */
  readonly needed: readonly StoredGuardianship[]
}

function decideGrant(
  grant: ReadyGrant,
  standing: readonly StoredGuardianship[],
  { context, facts, now, barred }: GuardFacts,
): DecidedGrant | FieldProblem {
  const field = `grants[${grant.index}].guardian`
  const one = giverOf(grant, standing, { context, facts })
  if (!one) return { field, expected: 'expected a guardian of the person who is established here, by name' }
  const needed = whoMustAgree(one, standing)
  if (needed === 'incomplete')
    return { field, expected: 'expected the others to be established who decide together with this guardian' }
  if (needed.some(({ guardianship }) => barred.has(guardianship)))
    return { field, expected: GUARDIAN_EXPECTED }
  const ends = [grant.validUntil, ...needed.map(({ until }) => until)].filter((end) => end !== undefined)
  const validUntil = ends.toSorted((first, second) => first - second)[0]
  if (validUntil !== undefined && validUntil <= (grant.validFrom ?? now)) {
    return {
      field: `grants[${grant.index}].validFrom`,
      expected: 'expected a time at which the guardian decides',
    }
  }
  return { grant: { ...grant, validUntil, guardianship: one.guardianship }, needed }
}

/** Who gives it: the guardian who calls, the one that the issuer names, or the only one there is. */
function giverOf(
  { guardian, terms }: ReadyGrant,
  standing: readonly StoredGuardianship[],
  { context, facts }: Pick<GuardFacts, 'context' | 'facts'>,
): StoredGuardianship | undefined {
  if (facts.guardianship !== undefined)
    return standing.find(({ guardianship }) => guardianship === facts.guardianship)
  if (guardian === undefined) return standing.length === 1 ? standing[0] : undefined
  const mark = context.markOf(terms.dataSet, guardian)
  return standing.find((one) => one.guardian && mark && Buffer.compare(one.guardian, mark) === 0)
}

/** Notes one guardian's yes, or makes it the grant where it was the last that was missing. */
async function agree(
  tx: DatabaseTransaction,
  { grant, needed, waiting, facts }: DecidedGrant & { waiting: Agreement[]; facts: GuardFacts },
): Promise<StandingGrant | 'waits' | 'covered'> {
  const terms = facts.terms.get(grant.digest)?.id
  if (terms === undefined)
    throw new Fault('fault.internal', { what: 'The dictionary of terms lost an entry' })
  const [from, until] = [grant.validFrom ?? facts.now, grant.validUntil ?? Infinity]
  const asked = { person: grant.person, terms, from, until }
  if ((await coveredAlready(tx, [asked])).size > 0) return 'covered'
  const own = waiting.filter((one) => one.person === grant.person && one.terms === terms)
  const others = needed.filter(({ guardianship }) => guardianship !== grant.guardianship)
  const agreed = others.map(({ guardianship }) => own.find((one) => one.guardianship === guardianship))
  const missing = agreed.some((one) => one === undefined || one.until <= facts.now)
  if (!missing)
    return joined(
      grant,
      agreed.filter((one) => one !== undefined),
    )
  const mine = own.find((one) => one.guardianship === grant.guardianship)
  if (!mine) {
    const made = { guardianship: grant.guardianship ?? '', ...asked, agreedAt: facts.now }
    const id = await insertAgreement(tx, made)
    await issueReceipt(tx, { id, grant, facts })
    waiting.push({ id, ...made, wording: grant.terms })
  }
  return 'waits'
}

/** The grant that several make together holds while each of them said it should. */
function joined(grant: StandingGrant, agreed: readonly Agreement[]): StandingGrant {
  const from = Math.max(...agreed.map((one) => one.from))
  const until = Math.min(...agreed.map((one) => one.until))
  const [validFrom, validUntil] = [grant.validFrom ?? 0, grant.validUntil ?? Infinity]
  return {
    ...grant,
    ...(from > validFrom && grant.validFrom !== undefined ? { validFrom: from as Instant } : {}),
    ...(until < validUntil ? { validUntil: until as Instant } : {}),
    agreements: agreed.map(({ id }) => id),
  }
}

async function issueReceipt(
  tx: DatabaseTransaction,
  { id, grant, facts: { context } }: { id: number; grant: StandingGrant; facts: GuardFacts },
): Promise<void> {
  const [subjectOf] = await context.subjectOf([{ person: grant.person, text: `agreement ${id}` }])
  const [receipt] = await context.receipts.issue(tx, [
    {
      kind: 'guardianship',
      subjectOf,
      guardianship: grant.guardianship,
      dataSet: grant.terms.dataSet,
      policy: grant.digest,
    },
  ])
  if (!receipt) throw new Fault('fault.internal', { what: 'The log gave too few receipts' })
  await saveAgreementReceipt(tx, { id, receipt: receipt.sequence })
}
