import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { GuardedSite, K } from './guarded-asker.ts'
import type { GuardedAsker, Told } from './guarded-asker.ts'
import { MARKER_PATTERN } from './worlds.ts'

/** Questions of one acquirer in their order, and what comes of the last: all before it must be answered. */
export interface AttackChain {
  readonly name: string
  readonly questions: readonly string[]
  /** What must come of the last; absent: whatever does, as long as nothing is learnt. */
  readonly last?: RegExp
  readonly mode?: 'aggregate' | 'rows'
}

/** The site that a file's attacks are run against; it holds the marked world. */
export const attackedSite: GuardedSite = await GuardedSite.open('marked')
after(() => attackedSite[Symbol.dispose]())

/**
 * Runs chains of questions. An attack succeeds when a marker of somebody without a grant is told, or when the answers
 * together say anything about fewer people than the minimum group: a combination of sums that is not the same for all
 * of `K` people. Each must fail.
 */
export function attacksFail(chains: readonly AttackChain[]): void {
  for (const chain of chains) {
    test(`fails: ${chain.name}`, async () => {
      const asker = attackedSite.asker()
      const answers = await askAll(asker, chain)
      requireNothingLearnt(asker, answers)
    })
  }
}

async function askAll(asker: GuardedAsker, { questions, last, mode }: AttackChain): Promise<readonly Told[]> {
  const answers: Told[] = []
  for (const [index, sql] of questions.entries()) {
    const told = await asker.ask(sql, mode)
    answers.push(told)
    const said = `${told.reason} ${told.decline?.detail ?? ''}`
    if (index < questions.length - 1) assert.equal(told.reason, 'approved', `${sql}: ${said}`)
    else if (last) assert.match(said, last, sql)
    assert.doesNotMatch(told.reason, /^fault/, sql)
  }
  return answers
}

/** The measure of every attack. */
export function requireNothingLearnt(asker: GuardedAsker, answers: readonly Told[]): void {
  for (const { rows, remainder, decline } of answers)
    assert.doesNotMatch(
      JSON.stringify([rows, remainder ?? [], decline ?? {}], (_key, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      ),
      MARKER_PATTERN,
    )
  assert.ok(asker.smallestClass() >= K, `told apart: ${asker.smallestClass()} people`)
}
