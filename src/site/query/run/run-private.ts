import { Bitset } from '../../../kernel/bitset.ts'
import { LIMITS } from '../../../kernel/limits.ts'
import { ok } from '../../../kernel/result.ts'
import { declined } from '../../../protocol/reason.ts'
import type { Outcome } from '../../../protocol/reason.ts'
import type { ReleaseValue } from '../../../protocol/release.ts'
import type { VaultResult } from '../../vault/vault.ts'
import { boundListed } from './bound-listed.ts'
import { compareKeys } from './compare-keys.ts'
import type { PrivateDesign } from '../plan/private-design.ts'
import type { PlaceWeight, PrivateGroup } from '../plan/private-group.ts'
import { PRIVATE_COLUMNS } from '../plan/plan-private.ts'
import type { PrivatePlan } from '../plan/plan-private.ts'
import type { QueryRunner } from '../plan/plan-context.ts'
import { toReleased } from './released-value.ts'

/**
 * Collects the exact whole numbers of each group, with what one person gives bounded. Nothing is noisy yet: none of it
 * may leave the process.
 */
export async function collectPrivate(
  plan: PrivatePlan,
  runner: QueryRunner,
  groupsMax: number = LIMITS.releaseRowsMax,
): Promise<Outcome<readonly PrivateGroup[]>> {
  const groups = await collectGroups(plan, runner, groupsMax)
  // In the order of their keys: the order in which an engine met them is nobody's to see.
  return groups.ok ? ok(groups.value.toSorted((a, b) => compareKeys(a.keys, b.keys))) : groups
}

async function collectGroups(
  plan: PrivatePlan,
  runner: QueryRunner,
  groupsMax: number,
): Promise<Outcome<readonly PrivateGroup[]>> {
  const plain = plan.plain ? await collectPlain(plan, plan.plain, runner) : ok(undefined)
  if (!plain.ok) return plain
  const listed = plan.listed && !plain.value ? await collectListed(plan, plan.listed, runner) : ok(undefined)
  if (!listed.ok) return listed
  if (listed.value && listed.value.length <= groupsMax) return ok(withPublicGroups(plan, listed.value))
  const how = plain.value ? 'plain' : 'bounded'
  const collected = plain.value ? ok(plain.value) : await collectBounded(plan, runner)
  if (!collected.ok) return collected
  const groups = withPublicGroups(plan, collected.value)
  if (plan.design.groups === undefined && groups.length > groupsMax) return declinedGroups()
  return placeQuantiles(plan, runner, { groups, how })
}

/** Undefined where it has to be bounded by the engine, or there are very many groups: most of them may be too small to be shown. */
async function collectListed(
  { design }: PrivatePlan,
  { statement, personCount, choiceKey }: NonNullable<PrivatePlan['listed']>,
  runner: QueryRunner,
): Promise<Outcome<readonly PrivateGroup[] | undefined>> {
  const result = await runner.run(statement)
  if (!result.ok) return result
  if (result.value.rowCount > LIMITS.releaseRowsMax) return ok(undefined)
  const { keys } = design.checked.query
  const keyColumns = keys.map((_, index) => result.value.column(index))
  const lists = result.value.listed(keys.length)
  const groups = lists.map((readRows, row) => ({
    keys: keys.map(({ type }, index) => toReleased(keyColumns[index]?.[row], type)),
    readRows,
  }))
  const bounded = boundListed(groups, { design, personCount, choiceKey })
  return ok(bounded && shownOf(design, bounded))
}

/** Groups below the minimum are never shown, so they need not be made noisy; public groups are all shown. */
function shownOf(
  { minimumGroup, groups }: PrivateDesign,
  collected: readonly PrivateGroup[],
): readonly PrivateGroup[] {
  return groups === undefined ? collected.filter(({ people }) => people >= minimumGroup) : collected
}

/** Undefined where somebody counts in several groups, or there are very many: then it has to be bounded. */
async function collectPlain(
  plan: PrivatePlan,
  statement: NonNullable<PrivatePlan['plain']>,
  runner: QueryRunner,
): Promise<Outcome<readonly PrivateGroup[] | undefined>> {
  const result = await runner.run(statement)
  if (!result.ok) return result
  const sets = result.value.sets(plan.design.checked.query.keys.length)
  const all = new Bitset()
  for (const set of sets) all.addAll(set)
  const areDisjoint = all.count() === sets.reduce((sum, set) => sum + set.count(), 0)
  if (!areDisjoint || result.value.rowCount > LIMITS.releaseRowsMax) return ok(undefined)
  const groups = readGroups(plan, result.value, (row) => sets[row]?.count() ?? 0)
  return ok(shownOf(plan.design, groups))
}

async function collectBounded(
  plan: PrivatePlan,
  runner: QueryRunner,
): Promise<Outcome<readonly PrivateGroup[]>> {
  const result = await runner.run(plan.bounded)
  if (!result.ok) return result
  if (result.value.rowCount > LIMITS.releaseRowsMax) return declinedGroups()
  const people = result.value.column(plan.design.checked.query.keys.length)
  return ok(readGroups(plan, result.value, (row) => Number(people[row] ?? 0)))
}

/** As many groups as are never refused. */
const FEWEST_REFUSED = 0.75 * LIMITS.releaseRowsMax

/**
 * The most groups that one question may have, between 75,000 and 100,000: secret and fixed for the question. Where it was the
 * same for all, whoever has groups made until there are as many as may be would be told by the next one, exactly, whether
 * somebody stands in it. `chance`: four bytes that follow from the question by a secret key.
 */
export function groupsMaxOf(chance: Uint8Array): number {
  const drawn = Buffer.from(chance).readUInt32BE(0) / 2 ** 32
  return FEWEST_REFUSED + Math.floor(drawn * (LIMITS.releaseRowsMax - FEWEST_REFUSED + 1))
}

function declinedGroups(): ReturnType<typeof declined> {
  return declined('declined.too_large', {
    detail: `The question has too many groups: ${FEWEST_REFUSED} are never too many, and ${LIMITS.releaseRowsMax} are the most`,
  })
}

function readGroups(
  { design }: PrivatePlan,
  result: VaultResult,
  peopleOf: (row: number) => number,
): readonly PrivateGroup[] {
  const { keys } = design.checked.query
  const keyColumns = keys.map((_, index) => result.column(index))
  const width = PRIVATE_COLUMNS.length
  const columns = design.series.flatMap((_, index) =>
    PRIVATE_COLUMNS.map((_name, offset) => result.column(keys.length + 1 + index * width + offset)),
  )
  const whole = (column: number, row: number): bigint => BigInt(String(columns[column]?.[row] ?? 0))
  return Array.from({ length: result.rowCount }, (_, row) => ({
    keys: keys.map(({ type }, index) => toReleased(keyColumns[index]?.[row], type)),
    people: BigInt(peopleOf(row)),
    series: design.series.map((_one, index) => ({
      rows: whole(index * width, row),
      distances: whole(index * width + 1, row),
      squares: whole(index * width + 2, row),
    })),
    places: [],
  }))
}

/** Public groups are all there, the empty ones too; what stands under other keys is left out, whatever it is. */
function withPublicGroups(
  { design: { groups, series } }: PrivatePlan,
  collected: readonly PrivateGroup[],
): readonly PrivateGroup[] {
  if (groups === undefined) return collected
  const byKey = new Map(collected.map((group) => [keyText(group.keys), group]))
  const nothing = series.map(() => ({ rows: 0n, distances: 0n, squares: 0n }))
  return groups.map((keys) => byKey.get(keyText(keys)) ?? { keys, people: 0n, series: nothing, places: [] })
}

function keyText(keys: readonly ReleaseValue[]): string {
  return JSON.stringify(keys)
}

async function placeQuantiles(
  plan: PrivatePlan,
  runner: QueryRunner,
  { groups, how }: { groups: readonly PrivateGroup[]; how: 'plain' | 'bounded' },
): Promise<Outcome<readonly PrivateGroup[]>> {
  const found: ReadonlyMap<string, readonly PlaceWeight[]>[] = []
  for (const figure of plan.design.figures) {
    if (figure.kind !== 'place') continue
    const result = await runner.run(plan.places(figure, how))
    if (!result.ok) return result
    found.push(readPlaces(plan, result.value))
  }
  return ok(
    groups.map((group) => ({ ...group, places: found.map((byKey) => byKey.get(keyText(group.keys)) ?? []) })),
  )
}

function readPlaces(
  { design }: PrivatePlan,
  result: VaultResult,
): ReadonlyMap<string, readonly PlaceWeight[]> {
  const { keys } = design.checked.query
  const keyColumns = keys.map((_, index) => result.column(index))
  const [places, weights] = [result.column(keys.length), result.column(keys.length + 1)]
  const byKey = new Map<string, PlaceWeight[]>()
  for (let row = 0; row < result.rowCount; row += 1) {
    const text = keyText(keys.map(({ type }, index) => toReleased(keyColumns[index]?.[row], type)))
    const list = byKey.get(text) ?? []
    list.push({ place: Number(places[row]), weight: BigInt(String(weights[row])) })
    byKey.set(text, list)
  }
  for (const list of byKey.values()) list.sort((a, b) => a.place - b.place)
  return byKey
}
