import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { arbitrarySelect } from './arbitrary-select.ts'
import type { RandomQuestion } from './arbitrary-select.ts'
import { GuardedSite, K, isTakenByTheGate } from './guarded-asker.ts'
import type { Told } from './guarded-asker.ts'
import { MARKER_PATTERN } from './worlds.ts'
import type { World } from './worlds.ts'

/*
 * Random questions over people of whom some gave no grant. Measures of success: a marker of theirs in what is told
 * (rows, reasons, details, steps, and what only the operator reads); any function of one, which shows as a difference
 * to what is told in a world where those people have other values or are not there at all; and a combination of what
 * was released that is about fewer people than the minimum group. HEDGEROW_FAULTS=1 asks a hundred thousand.
 */

const isLong = process.env.HEDGEROW_FAULTS === '1'
const PARTS = isLong ? 20 : 4
const QUESTIONS = isLong ? 5_000 : 500
const OTHERS: readonly World[] = ['breaking', 'empty']

test('a marker is known wherever it shows, and digits behind a point are none by chance', () => {
  for (const text of [
    '[[987654321]]',
    '987_654.125',
    '0.987654321',
    '9876.54321e5 1904-04-04',
    'xMq7x',
    '-987654',
  ])
    assert.match(text, MARKER_PATTERN)
  assert.doesNotMatch('{"rows":[[1,"track",34.2098765432,64],[0.98765433]]}', MARKER_PATTERN)
})

for (let part = 0; part < PARTS; part += 1) {
  const other = OTHERS[part % OTHERS.length] ?? 'empty'
  test(
    `random questions tell nothing of people without a grant: marked beside ${other}, part ${part + 1}`,
    { timeout: 1_800_000 },
    async () => {
      const told = await compareWorlds(other, QUESTIONS)
      assert.ok(told.approved > QUESTIONS / 10 && told.declined > QUESTIONS / 10, JSON.stringify(told))
    },
  )
}

async function compareWorlds(other: World, numRuns: number): Promise<{ approved: number; declined: number }> {
  using marked = await GuardedSite.open('marked')
  using changed = await GuardedSite.open(other)
  const told = { approved: 0, declined: 0 }
  await fc.assert(
    fc.asyncProperty(arbitrarySelect, async (question) => {
      const isApproved = await requireNothingTold(question, marked, changed)
      told[isApproved ? 'approved' : 'declined'] += 1
    }),
    { numRuns },
  )
  return told
}

/** Asks in both worlds, each time as an acquirer without a history. */
async function requireNothingTold(
  { sql, mode }: RandomQuestion,
  marked: GuardedSite,
  changed: GuardedSite,
): Promise<boolean> {
  const asker = marked.asker()
  const answer = await asker.ask(sql, mode)
  const text = textOf(answer)
  assert.doesNotMatch(answer.reason, /^fault/, sql)
  // A literal of the question may come back in a row; it is the asker's own.
  if (!MARKER_PATTERN.test(sql)) assert.doesNotMatch(text, MARKER_PATTERN, sql)
  if (isTakenByTheGate(sql, mode)) assert.equal(textOf(await changed.asker().ask(sql, mode)), text, sql)
  if (mode === 'aggregate') assert.ok(asker.smallestClass() >= K, `about ${asker.smallestClass()}: ${sql}`)
  return !answer.reason.startsWith('declined')
}

function textOf(told: Told): string {
  return JSON.stringify(told, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}
